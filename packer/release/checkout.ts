import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout that contains this file. */
export const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));

/** A JSON file of the checkout; its shape is not checked. */
export async function readJson<Shape>(checkout: string, path: string): Promise<Shape> {
  return JSON.parse(await readFile(join(checkout, path), 'utf8')) as Shape;
}
