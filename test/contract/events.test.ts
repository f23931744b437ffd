import { readFileSync } from 'node:fs';
import test from 'ava';
import { eventId, hintContent, numberedContent, resultsEvent } from '../../daemon/contract/events.ts';
import { TRANSCRIPT_GAP_CAUSES } from '../../daemon/contract/gap-causes.ts';

const DOCUMENT = readFileSync('daemon/results/README.md', 'utf8');
const SHAPES = [...numberedContent.options, ...hintContent.options].map(({ shape }) => shape);

/** The rows of the table under a heading, as cells. */
function rowsUnder(heading: string): string[][] {
  const section = DOCUMENT.split(`\n${heading}\n`)[1]?.split(/\n#{2,3} /)[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
}

const namesIn = (cell: string | undefined) => [...(cell ?? '').matchAll(/`(?<name>[\w.-]+)/g)].map(([, name]) => name);

for (const [, types, fields] of rowsUnder('## Events')) {
  const isInterim = types?.includes('false');
  // A missing field identifies an interim, an extra one session.resumed.
  if (isInterim || types?.includes('session.resumed')) continue;
  for (const type of namesIn(types).filter((name) => name !== 'final')) {
    test(`the documentation names every field of ${type}`, (t) => {
      const shape = SHAPES.find((each) => each.type.value === type);
      const expected = Object.keys(shape ?? {}).filter((name) => name !== 'type' && name !== 'final');
      t.deepEqual(namesIn(fields).toSorted(), expected.toSorted());
    });
  }
}

test('the documentation names every type', (t) => {
  const documented = rowsUnder('## Events').flatMap(([, types]) => namesIn(types).filter((name) => name !== 'final'));
  t.deepEqual([...new Set(documented)].toSorted(), [...new Set(SHAPES.map(({ type }) => type.value))].toSorted());
});

test('the documentation names every cause of a gap', (t) => {
  const documented = rowsUnder('### Gaps').flatMap(([, causes]) => namesIn(causes));
  t.deepEqual(documented.toSorted(), [...TRANSCRIPT_GAP_CAUSES].toSorted());
});

test('the example is an event', (t) => {
  const example = JSON.parse(/```json\n(?<json>[^`]+)```/.exec(DOCUMENT)?.groups?.['json'] ?? '');
  const sessionId = '3c5a0c1e-6f0e-4f5e-9d7f-0f6a9b6f2f11';
  const event = resultsEvent.parse({ ...example, sessionId, id: eventId(sessionId, 1, 7) });
  t.like(event, { type: 'transcript', final: true, id: `${sessionId}_1_7` });
});

test('a consumer of this version ignores fields that it does not know', (t) => {
  const facts = { type: 'speech.started', speaker: 'AGENT', atMs: 1, loudness: 3 };
  const envelope = { version: 1, contactId: 'a', sessionId: '3c5a0c1e-6f0e-4f5e-9d7f-0f6a9b6f2f11', epoch: 1 };
  t.notThrows(() => resultsEvent.parse({ ...envelope, at: '2026-11-28T20:15:03.120Z', ...facts }));
});
