import { readFileSync } from 'node:fs';

/**
 * The text of a file in page/. In the release, packer/release/bundle-page.ts replaces this module with one that contains
 * all the files.
 */
export function pageText(name: string): string {
  return readFileSync(new URL(`page/${name}`, import.meta.url), 'utf8');
}
