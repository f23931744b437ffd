import test from 'ava';
import { type FlowJson, type FlowName, ourFlow } from './our-flows.ts';

const OUR_FLOWS: readonly FlowName[] = ['load-test', 'sample-inbound-synchronous', 'sample-inbound', 'sample-transfer'];
/** Minimum distance of blocks in flows that were laid out by hand in the editor. */
const BLOCK_WIDTH = 240;
const BLOCK_HEIGHT = 180;

for (const name of OUR_FLOWS) {
  test(`every block of ${name} has a position of its own in the editor, and every note a block`, (t) => {
    const { Actions, Metadata } = ourFlow(name);
    const identifiers = Actions.map(({ Identifier }) => Identifier).sort();
    t.truthy(Metadata.entryPointPosition);
    t.deepEqual(Object.keys(Metadata.ActionMetadata).sort(), identifiers);
    t.deepEqual(
      Metadata.Annotations.filter(({ actionId }) => !identifiers.includes(actionId)),
      [],
    );
    t.deepEqual(overlaps(Metadata), []);
  });
}

function overlaps({ ActionMetadata }: FlowJson['Metadata']): string[] {
  const blocks = Object.entries(ActionMetadata).map(([identifier, { position }]) => ({ identifier, position }));
  return blocks.flatMap((one, index) =>
    blocks
      .slice(0, index)
      .filter((other) => isNear(one.position, other.position))
      .map((other) => `${one.identifier} overlaps ${other.identifier}`),
  );
}

function isNear(a = { x: NaN, y: NaN }, b = { x: NaN, y: NaN }): boolean {
  // A block without a position is near every other.
  return !(Math.abs(a.x - b.x) >= BLOCK_WIDTH || Math.abs(a.y - b.y) >= BLOCK_HEIGHT);
}
