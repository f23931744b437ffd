import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from '@cdktf/hcl2json';
import { CHECKOUT } from './program.ts';

export const PACKER = join(CHECKOUT, 'packer');
/** Unknown to Debian's Packer 1.6.6. */
const PLUGINS = 'plugins.pkr.hcl';
const NEWER = /^ *# newer than Packer 1\.6, until[\s\S]*?# newer than Packer 1\.6: end\n/gm;

/** A block of HCL as JSON: blocks are arrays, expressions are strings of the form ${…}. */
// biome-ignore lint/suspicious/noExplicitAny: it is asserted on, value by value.
export type Block = Record<string, any>;

/** Names of the template's files. */
export async function templateFiles(): Promise<string[]> {
  return (await readdir(PACKER)).filter((name) => name.endsWith('.pkr.hcl')).sort();
}

/** The whole template, read by a current HCL parser, by kind of block. */
export async function readTemplate(): Promise<Block> {
  const whole: Block = {};
  for (const name of await templateFiles()) {
    const parsed = (await parse(name, await readFile(join(PACKER, name), 'utf8'))) as Block;
    for (const [kind, content] of Object.entries(parsed)) {
      whole[kind] = Array.isArray(content) ? [...(whole[kind] ?? []), ...content] : { ...whole[kind], ...content };
    }
  }
  return whole;
}

/** The part of a file that is newer than Packer 1.6, and the rest. */
export function split(text: string): { newer: string; rest: string } {
  return { newer: (text.match(NEWER) ?? []).join(''), rest: text.replace(NEWER, '') };
}

/**
 * Makes a project in `directory` that Packer 1.6 can read, with release tarballs that are empty; returns the template's
 * directory in it.
 */
export async function projectForOldPacker(directory: string): Promise<string> {
  const template = join(directory, 'packer');
  await mkdir(join(directory, 'release'), { recursive: true });
  await cp(join(PACKER, 'image'), join(template, 'image'), { recursive: true });
  await cp(join(CHECKOUT, 'package.json'), join(directory, 'package.json'));
  const { version } = JSON.parse(await readFile(join(CHECKOUT, 'package.json'), 'utf8')) as { version: string };
  for (const architecture of ['arm64', 'x64']) {
    await writeFile(join(directory, 'release', `integratord-${version}-linux-${architecture}.tar.gz`), '');
  }
  for (const name of await templateFiles()) {
    if (name === PLUGINS) continue;
    await writeFile(join(template, name), split(await readFile(join(PACKER, name), 'utf8')).rest);
  }
  return template;
}
