import { readFileSync } from 'node:fs';

/**
 * The text of a file in page/. The release has no such files: there packer/release/bundle-page.ts puts a module with
 * all of them built in into the place of this one.
 */
export function pageText(name: string): string {
  return readFileSync(new URL(`page/${name}`, import.meta.url), 'utf8');
}
