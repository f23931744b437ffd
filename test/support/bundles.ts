import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Plugin } from 'esbuild';
import { bundlePrograms, PROGRAMS } from '../../packer/release/bundle.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** In the checkout, so that compiled code of an earlier run fits (NODE_COMPILE_CACHE knows it by its path). */
const DIRECTORY = join(ROOT, 'artefacts/programs');

/** What tests start more than a few times, beside the programs of the release. */
const OFTEN_STARTED = [
  'bench/main',
  'bench/naive/relay',
  'bench/stages/main',
  'demo/main',
  'load/consumer',
  'load/deepgram',
  'load/kinesis',
  'load/main',
  'results/delivering-process',
  'simulators/auto-scaling/main',
  'simulators/cloudwatch/main',
  'simulators/connect/main',
  'simulators/deepgram/main',
  'simulators/imds/main',
  'simulators/kinesis-data-streams/main',
  'simulators/kinesis-video/main',
  'simulators/proxy/main',
  'simulators/secrets-manager/main',
  'simulators/webhook/main',
  'trigger/invoke',
].map((name) => `test/${name}.ts`);

/** Replaces `import.meta.url` in the tests' sources by the address of the source: some read files beside them. */
const addressOfSource: Plugin = {
  name: 'address-of-source',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]test[\\/].*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      loader: 'ts',
    }));
  },
};

/** Not installed: `debug`, a dependency of `ebml`, uses it if it is. */
const colorsAbsent: Plugin = {
  name: 'colors-absent',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^supports-color$/ }, ({ path }) => ({ path, namespace: 'no-colors' }));
    onLoad({ filter: /^/, namespace: 'no-colors' }, () => ({ contents: "throw new Error('not installed');" }));
  },
};

/**
 * Bundles the programs that tests start most often, as a release does: they start in half the CPU. Returns the directory
 * with the bundles, for the variable TEST_BUNDLES. Throws ReleaseFailure if a source does not compile.
 */
export async function bundlesForTests(): Promise<string> {
  const { bundles } = await bundlePrograms(ROOT, [...PROGRAMS, ...OFTEN_STARTED], [addressOfSource, colorsAbsent]);
  for (const { path, text } of bundles) {
    const file = join(DIRECTORY, path);
    await mkdir(dirname(file), { recursive: true });
    // Another run may be starting programs from the same file.
    const unfinished = `${file}.${process.pid}`;
    await writeFile(unfinished, text);
    await rename(unfinished, file);
  }
  return DIRECTORY;
}
