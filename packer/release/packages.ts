import { readJson } from './checkout.ts';
import { ReleaseFailure } from './failure.ts';

/** The package of a source, in the innermost node_modules. */
const OF_A_PACKAGE = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/;

/** A bundled package. */
export interface Package {
  readonly name: string;
  readonly version: string;
  /** SPDX identifier. */
  readonly license: string;
  /** Packages of one repository share a license. */
  readonly repository: string;
  /** Relative to the checkout. */
  readonly directory: string;
}

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license?: unknown;
  readonly repository?: string | { readonly url?: string };
}

/** The packages of these sources, sorted by name and version. Throws ReleaseFailure if one has no license. */
export async function packagesOf(checkout: string, sources: readonly string[]): Promise<Package[]> {
  const directories = new Set(sources.flatMap((source) => OF_A_PACKAGE.exec(source)?.[0] ?? []));
  const packages = await Promise.all([...directories].map((directory) => readPackage(checkout, directory)));
  return packages.sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

async function readPackage(checkout: string, directory: string): Promise<Package> {
  const { name, version, license, repository } = await readJson<PackageJson>(checkout, `${directory}/package.json`);
  if (typeof license !== 'string' || license === 'UNLICENSED') {
    throw new ReleaseFailure(`${name} ${version} is bundled, but has no license in its package.json: remove it`);
  }
  const url = typeof repository === 'string' ? repository : (repository?.url ?? '');
  return { name, version, license, repository: url, directory };
}

/** Sorts by code units: the same order in every locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
