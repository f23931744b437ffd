import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

/** The module that reads the status page's files, which exist only in the sources. */
const READER = /[\\/]daemon[\\/]control[\\/]page-text\.ts$/;

/** Replaces that module by one that contains the files, so that a program is a single file. */
export const pageBuiltIn: Plugin = {
  name: 'page-built-in',
  setup({ onLoad }) {
    onLoad({ filter: READER }, async ({ path }) => {
      const directory = join(dirname(path), 'page');
      const names = (await readdir(directory)).sort();
      const texts = await Promise.all(names.map(async (name) => [name, await readFile(join(directory, name), 'utf8')]));
      return {
        contents: `const texts = ${JSON.stringify(Object.fromEntries(texts))};
export function pageText(name) {
  if (name in texts) return texts[name];
  throw new Error('the status page has no file ' + name);
}`,
        loader: 'js',
      };
    });
  },
};
