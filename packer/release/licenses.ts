import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ReleaseFailure } from './failure.ts';
import type { Package } from './packages.ts';

/** The usual names of license files, and of the notices that the Apache License requires to be passed on. */
const LICENSE_FILE = /^(licen[cs]e|copying|notice)([-.].*)?$/i;

/** Texts in packer/release/licenses for packages without a license file. These three are by the author of trouter and
 *  matchit, under the same license, whose text this is. */
const TEXTS: Readonly<Record<string, string>> = {
  '@arr/every': 'lukeed.txt',
  '@polka/url': 'lukeed.txt',
  polka: 'lukeed.txt',
};

/** A license text and the packages under it. */
interface License {
  readonly text: string;
  readonly packages: string[];
}

/**
 * One document with the licenses of everything in a release; a text that several packages share appears once. Throws
 * ReleaseFailure if a package has no license text.
 */
export async function licensesOf(
  checkout: string,
  packages: readonly Package[],
  node: { readonly version: string; readonly license: string },
): Promise<string> {
  const byText = new Map<string, License>();
  const add = (holder: string, text: string) => {
    const key = text.replaceAll(/\s+/g, ' ').trim();
    const license = byText.get(key) ?? { text: text.replaceAll('\r\n', '\n').trim(), packages: [] };
    license.packages.push(holder);
    byText.set(key, license);
  };
  for (const each of packages) {
    const texts = await textsOf(checkout, each, packages);
    for (const text of texts) add(`${each.name} ${each.version} (${each.license})`, text);
  }
  add(`Node.js ${node.version}, and its bundled libraries`, node.license);
  return [...byText.values()].map(section).join('\n');
}

function section({ packages, text }: License): string {
  const line = '='.repeat(80);
  return `${line}\n${packages.join('\n')}\n${line}\n\n${text}\n`;
}

async function textsOf(checkout: string, each: Package, packages: readonly Package[]): Promise<string[]> {
  const own = await ownTexts(checkout, each);
  if (own.length > 0) return own;
  const kept = TEXTS[each.name];
  if (kept) return [await readFile(join(checkout, 'packer/release/licenses', kept), 'utf8')];
  // Some packages of AWS's monorepo are published without the license file that the others have.
  for (const sibling of packages.filter((other) => isOfOneRepository(each, other))) {
    const texts = await ownTexts(checkout, sibling);
    if (texts.length > 0) return texts;
  }
  throw new ReleaseFailure(
    `${each.name} ${each.version} (${each.license}) is bundled, but has no license text: ` +
      'add the text to packer/release/licenses, and the name to packer/release/licenses.ts',
  );
}

function isOfOneRepository(a: Package, b: Package): boolean {
  return a !== b && a.repository !== '' && a.repository === b.repository && a.license === b.license;
}

async function ownTexts(checkout: string, { directory }: Package): Promise<string[]> {
  const names = (await readdir(join(checkout, directory))).filter((name) => LICENSE_FILE.test(name)).sort();
  return Promise.all(names.map((name) => readFile(join(checkout, directory, name), 'utf8')));
}
