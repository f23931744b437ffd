/** "A call failed last night: why?" The operator has a contact id, and an instance with integratorctl. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesOf } from '../audio/tracks.ts';
import { CALL } from '../simulators/deepgram/call-audio.ts';
import { Stage } from '../system/stage.ts';
import { expect, operate, say } from './telling.ts';

/** Deepgram's connection breaks after this much of the call. */
const BREAKS_AFTER_MS = 3000;

const directory = mkdtempSync(join(tmpdir(), 'story-'));
const socket = join(directory, 'control.sock');
const stage = await Stage.open({ env: { CONTROL_SOCKET: socket, STATE_DIR: join(directory, 'state') } });
try {
  say(
    'Last night: 3 s into a call Deepgram closes the connection, and then refuses another, because the credit is used up.',
  );
  const call = await stage.call({ customer: bytesOf(CALL.customer), agent: bytesOf(CALL.agent), speed: 4 });
  const { contactId } = call;
  await stage.deepgram.addFaultsFor(
    contactId,
    { closeAfterMs: BREAKS_AFTER_MS, code: 1011, reason: 'NET-0000' },
    { refuse: 402 },
  );
  await stage.start(call);
  await stage.ended(contactId);

  say(`In the morning: why is there no transcript of ${contactId}?`);
  expect(await operate(socket, 'status'), /failed/i);
  expect(await operate(socket, 'sessions', 'list', '--state', 'failed'), new RegExp(contactId.slice(0, 8)));
  const answer = await operate(socket, 'sessions', 'show', contactId);
  expect(answer, /^outcome +failed$/m);
  expect(answer, /^reason +.*no credit \(HTTP 402/m);
  expect(answer, /^Deepgram request/m);
  say('Because Deepgram refused it: HTTP 402, no credit left. The request id is what Deepgram’s support asks for.');
} finally {
  await stage.close();
  rmSync(directory, { recursive: true });
}
