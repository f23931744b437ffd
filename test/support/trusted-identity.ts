import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { identityAt, makeCertificates, type TlsIdentity } from '../load/certificates.ts';

/** A key and a certificate for a DNS name, which this process trusts from now on. Needs openssl. */
export async function trustedIdentity(name: string): Promise<TlsIdentity | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-identity-'));
  try {
    const certificates = await makeCertificates(directory, [`DNS:${name}`]);
    setDefaultCACertificates([...getCACertificates(), await readFile(certificates.caPath, 'utf8')]);
    return identityAt(certificates);
  } finally {
    await rm(directory, { recursive: true });
  }
}
