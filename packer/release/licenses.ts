import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ReleaseFailure } from './failure.ts';
import type { Package } from './packages.ts';

/** A license by its usual names, and the notices that the Apache License wants to be passed on. */
const LICENSE_FILE = /^(licen[cs]e|copying|notice)([-.].*)?$/i;

/** Texts in packer/release/licenses, of packages that name a license but bring no text of it. These three are by the
 *  author of trouter and matchit, under the same license: theirs is the text. */
const TEXTS: Readonly<Record<string, string>> = {
  '@arr/every': 'lukeed.txt',
  '@polka/url': 'lukeed.txt',
  polka: 'lukeed.txt',
};

/** A text, and who is licensed under it. */
interface License {
  readonly text: string;
  readonly holders: string[];
}

/**
 * One document with the license of everything in a release; a text that many packages share is in it once.
 * Throws ReleaseFailure when a package has none.
 */
export async function licensesOf(
  checkout: string,
  packages: readonly Package[],
  node: { readonly version: string; readonly license: string },
): Promise<string> {
  const byText = new Map<string, License>();
  const take = (holder: string, text: string) => {
    const key = text.replaceAll(/\s+/g, ' ').trim();
    const license = byText.get(key) ?? { text: text.replaceAll('\r\n', '\n').trim(), holders: [] };
    license.holders.push(holder);
    byText.set(key, license);
  };
  for (const each of packages) {
    const texts = await textsOf(checkout, each, packages);
    for (const text of texts) take(`${each.name} ${each.version} (${each.license})`, text);
  }
  take(`Node.js ${node.version}, with what is built into it`, node.license);
  return [...byText.values()].map(section).join('\n');
}

function section({ holders, text }: License): string {
  const line = '='.repeat(80);
  return `${line}\n${holders.join('\n')}\n${line}\n\n${text}\n`;
}

async function textsOf(checkout: string, each: Package, packages: readonly Package[]): Promise<string[]> {
  const own = await ownTexts(checkout, each);
  if (own.length > 0) return own;
  const kept = TEXTS[each.name];
  if (kept) return [await readFile(join(checkout, 'packer/release/licenses', kept), 'utf8')];
  // Some packages of AWS' one repository were published without the file that the others have.
  for (const sibling of packages.filter((other) => isOfOneRepository(each, other))) {
    const texts = await ownTexts(checkout, sibling);
    if (texts.length > 0) return texts;
  }
  throw new ReleaseFailure(
    `${each.name} ${each.version} (${each.license}) is bundled, but brings no license text: ` +
      'put its text into packer/release/licenses, and its name into packer/release/licenses.ts',
  );
}

function isOfOneRepository(a: Package, b: Package): boolean {
  return a !== b && a.repository !== '' && a.repository === b.repository && a.license === b.license;
}

async function ownTexts(checkout: string, { directory }: Package): Promise<string[]> {
  const names = (await readdir(join(checkout, directory))).filter((name) => LICENSE_FILE.test(name)).sort();
  return Promise.all(names.map((name) => readFile(join(checkout, directory, name), 'utf8')));
}
