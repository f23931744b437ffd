import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { create } from 'tar';

/** An npm registry on loopback with one package that has these files; returns its URL. */
export async function registryWith(
  t: ExecutionContext,
  name: string,
  version: string,
  files: Record<string, string>,
): Promise<string> {
  const packed = await packageOf({ 'package.json': JSON.stringify({ name, version }), ...files });
  const integrity = `sha512-${createHash('sha512').update(packed).digest('base64')}`;
  const server = createServer(({ url, headers }, response) => {
    if (url === '/package.tgz') {
      response.end(packed);
      return;
    }
    const dist = { tarball: `http://${headers.host}/package.tgz`, integrity };
    const versions = { [version]: { name, version, dist } };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The package as an npm tarball. */
async function packageOf(files: Record<string, string>): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-package-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, 'package', path)), { recursive: true });
      await writeFile(join(directory, 'package', path), text);
    }
    await create({ file: join(directory, 'package.tgz'), cwd: directory, gzip: true }, ['package']);
    return await readFile(join(directory, 'package.tgz'));
  } finally {
    await rm(directory, { recursive: true });
  }
}
