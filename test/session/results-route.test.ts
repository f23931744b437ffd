import test from 'ava';
import type { StartRequest } from '../../daemon/contract/start-request.ts';
import { resultsRoute } from '../../daemon/session/results-route.ts';
import { requestOf } from '../support/session-builders.ts';

const HOOK = 'https://flow.example/{contact-id}';
const MINE = 'https://flow.example/contact-1';
const DEFAULT = 'https://default.example/';
const CALLED_BACK = { dgParams: { callback: 'https://deepgram.example' } };

const route = (changes: Partial<StartRequest>, resultsWebhook?: string, hasResultsStream = false) =>
  resultsRoute(requestOf('contact-1', changes), { resultsWebhook, hasResultsStream });

for (const [title, actual, expected] of [
  ['without settings and attributes there are no events', route({}), undefined],
  ['the flow names the webhook', route({ results: { webhook: HOOK } }, DEFAULT), { webhook: MINE, stream: 'none' }],
  ['the setting names it otherwise', route({}, DEFAULT), { webhook: DEFAULT, stream: 'none' }],
  ['UNSET means no events at all', route({ results: { webhook: null } }, DEFAULT, true), undefined],
  ['a callback leaves the webhook of the setting out', route(CALLED_BACK, DEFAULT), undefined],
  [
    'of a call with a callback the stream has session events',
    route(CALLED_BACK, DEFAULT, true),
    { webhook: undefined, stream: 'session-events' },
  ],
  ['the stream has the events of every call', route({}, undefined, true), { webhook: undefined, stream: 'all' }],
  ['beside its webhook', route({ results: { webhook: HOOK } }, undefined, true), { webhook: MINE, stream: 'all' }],
  ['but not of load tests', route({ enforceRealtime: true }, DEFAULT, true), { webhook: DEFAULT, stream: 'none' }],
] as const) {
  test(title, (t) => {
    t.deepEqual(actual, expected);
  });
}
