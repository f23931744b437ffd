import { isJsonObject, valueAt } from '../../json.ts';
import { type Finding, WHOLE_FLOW } from './finding.ts';
import type { Flow } from './flow.ts';

/** Minimum distance of blocks in flows that were laid out by hand in the editor. */
const BLOCK_WIDTH = 240;
const BLOCK_HEIGHT = 180;

type Position = { x: number; y: number };

/** The flow must open in the editor with every block at its own position, and every note at its block. */
export function checkLayout(flow: Flow): Finding[] {
  const badLayout = (action: string, why: string): Finding => ({ action, what: 'bad-layout', why });
  const metadata = valueAt(flow.metadata, 'ActionMetadata');
  const positions = flow.actions.map(({ identifier }) => ({
    identifier,
    at: positionIn(valueAt(metadata, identifier, 'position')),
  }));
  return [
    ...(positionIn(valueAt(flow.metadata, 'entryPointPosition'))
      ? []
      : [badLayout(WHOLE_FLOW, 'Metadata has no entryPointPosition.')]),
    ...positions
      .filter(({ at }) => !at)
      .map(({ identifier }) => badLayout(identifier, 'Its position is not in Metadata.')),
    ...positions.flatMap(({ identifier, at }, index) =>
      positions
        .slice(0, index)
        .filter((other) => at && other.at && overlap(at, other.at))
        .map((other) => badLayout(identifier, `Its block overlaps that of "${other.identifier}".`)),
    ),
    ...unknownActions(flow, metadata).map((name) =>
      badLayout(name, 'Metadata names an action that is not in this flow.'),
    ),
  ];
}

function unknownActions({ byIdentifier, metadata }: Flow, actionMetadata: unknown): string[] {
  const notes = valueAt(metadata, 'Annotations');
  const named = [
    ...(isJsonObject(actionMetadata) ? Object.keys(actionMetadata) : []),
    ...(Array.isArray(notes) ? notes.map((note) => String(valueAt(note, 'actionId'))) : []),
  ];
  return named.filter((name) => !byIdentifier.has(name));
}

function positionIn(json: unknown): Position | undefined {
  const [x, y] = [valueAt(json, 'x'), valueAt(json, 'y')];
  return typeof x === 'number' && typeof y === 'number' ? { x, y } : undefined;
}

function overlap(a: Position, b: Position): boolean {
  return Math.abs(a.x - b.x) < BLOCK_WIDTH && Math.abs(a.y - b.y) < BLOCK_HEIGHT;
}
