import { isJsonObject, valueAt } from '../../json.ts';
import { type Finding, WHOLE_FLOW } from './finding.ts';
import type { Flow } from './flow.ts';

/** How far apart blocks are at least in flows that were laid out by hand in the editor, to the side and down. */
const BLOCK_WIDTH = 240;
const BLOCK_HEIGHT = 180;

type Position = { x: number; y: number };

/** Whether the flow opens in the editor with every block in its own place, and every note at its block. */
export function checkLayout(flow: Flow): Finding[] {
  const untidy = (action: string, why: string): Finding => ({ action, what: 'untidy', why });
  const metadata = valueAt(flow.metadata, 'ActionMetadata');
  const places = flow.actions.map(({ identifier }) => ({
    identifier,
    at: positionIn(valueAt(metadata, identifier, 'position')),
  }));
  return [
    ...(positionIn(valueAt(flow.metadata, 'entryPointPosition'))
      ? []
      : [untidy(WHOLE_FLOW, 'Metadata has no entryPointPosition.')]),
    ...places.filter(({ at }) => !at).map(({ identifier }) => untidy(identifier, 'Its position is not in Metadata.')),
    ...places.flatMap(({ identifier, at }, index) =>
      places
        .slice(0, index)
        .filter((other) => at && other.at && overlap(at, other.at))
        .map((other) => untidy(identifier, `Its block lies on that of "${other.identifier}".`)),
    ),
    ...strangers(flow, metadata).map((name) => untidy(name, 'Metadata speaks of an action that is not in this flow.')),
  ];
}

function strangers({ byIdentifier, metadata }: Flow, actionMetadata: unknown): string[] {
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
