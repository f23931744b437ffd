import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Template } from 'aws-cdk-lib/assertions';
import { synthesized } from './synthesized.ts';

export const SNAPSHOT_FILE = join(import.meta.dirname, 'template.snapshot');

/** A template as text, with what changes with every build of an asset left out. */
export function snapshotOf(template: Template): string {
  return `${JSON.stringify(template.toJSON(), undefined, 1).replaceAll(/\b[0-9a-f]{64}\b/g, 'ASSET')}\n`;
}

// `node test/cdk/snapshot.ts` after a change that was meant; the diff is for the reviewer.
if (import.meta.main) writeFileSync(SNAPSHOT_FILE, snapshotOf(synthesized()));
