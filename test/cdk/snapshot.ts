import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Template } from 'aws-cdk-lib/assertions';
import { synthesized } from './synthesized.ts';

export const SNAPSHOT_FILE = join(import.meta.dirname, 'template.snapshot');

/** A template as text, without the hashes that change with every build of an asset. */
export function snapshotOf(template: Template): string {
  return `${JSON.stringify(template.toJSON(), undefined, 1).replaceAll(/\b[0-9a-f]{64}\b/g, 'ASSET')}\n`;
}

// Run `node test/cdk/snapshot.ts` after an intended change, and review the diff.
if (import.meta.main) writeFileSync(SNAPSHOT_FILE, snapshotOf(synthesized()));
