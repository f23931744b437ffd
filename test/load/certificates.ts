import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installCommands } from '../support/tools.ts';
import { LoadFailed } from './failure.ts';

/** A TLS server's key and certificate in PEM. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
}

/** Paths, because a key does not belong in arguments, which other users can read. */
export interface Certificates {
  readonly keyPath: string;
  readonly certPath: string;
  /** The CA's certificate, for clients. */
  readonly caPath: string;
}

const run = promisify(execFile);
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const DAYS = ['-days', '1'];

/** Creates a CA and a certificate, for 127.0.0.1 or the given names (`IP:…`, `DNS:…`). Throws LoadFailed if openssl cannot be run. */
export async function makeCertificates(
  directory: string,
  names: readonly string[] = ['IP:127.0.0.1'],
): Promise<Certificates> {
  const at = (name: string) => join(directory, name);
  const openssl = (...args: readonly string[]) =>
    run('openssl', args).catch((cause: Error) => {
      throw new LoadFailed(
        `TLS, which --results has too, needs openssl (${installCommands(['openssl'])}): ${cause.message}`,
        { cause },
      );
    });
  await openssl(
    'req',
    '-x509',
    ...KEY,
    ...DAYS,
    '-subj',
    '/CN=load run',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
  );
  await openssl('req', ...KEY, '-subj', '/CN=127.0.0.1', '-keyout', at('server.key'), '-out', at('server.csr'));
  await writeFile(at('server.ext'), `subjectAltName=${names.join(',')}\n`);
  const signer = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('server.ext')];
  await openssl('x509', '-req', '-in', at('server.csr'), ...signer, ...DAYS, '-out', at('server.pem'));
  return { keyPath: at('server.key'), certPath: at('server.pem'), caPath: at('ca.pem') };
}

/** Reads a server's key and certificate; undefined without TLS. */
export function identityAt(certificates: Certificates): TlsIdentity;
export function identityAt(certificates: Certificates | null): TlsIdentity | undefined;
export function identityAt(certificates: Certificates | null): TlsIdentity | undefined {
  if (!certificates) return undefined;
  const { keyPath, certPath } = certificates;
  return { key: readFileSync(keyPath, 'utf8'), cert: readFileSync(certPath, 'utf8') };
}
