import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesOf, distinctSamples } from '../audio/tracks.ts';
import { Stage } from '../system/stage.ts';

const SAMPLES_PER_SECOND = 8000;
/** Longer than the captures take on a busy machine. */
const CALL_SECONDS = 300;
const TROUBLED_MS = 3000;
const SECRET = `whsec_${Buffer.alloc(32, 'captures').toString('base64')}`;

/** A daemon with calls in every state that an operator may meet. */
export interface BusyInstance {
  readonly stage: Stage;
  /** For integratorctl. */
  readonly env: Readonly<Record<string, string>>;
  /** Contacts of calls by what happened to them. */
  readonly contacts: Readonly<Record<'running' | 'broken' | 'refused' | 'lost' | 'completed', string>>;
  close(): Promise<void>;
}

/** Five running calls, of which one has lost its connection and one has a gap; one that failed, was refused, completed. */
export async function busyInstance(): Promise<BusyInstance> {
  const directory = await mkdtemp(join(tmpdir(), 'captures-'));
  const env = { CONTROL_SOCKET: join(directory, 'control.sock') };
  const webhook = { RESULTS_WEBHOOK: 'http://127.0.0.1:9/results', RESULTS_SECRET: SECRET, RESULTS_ALLOW_LOCAL: 'on' };
  const stage = await Stage.open({
    env: {
      ...env,
      ...webhook,
      STATE_DIR: join(directory, 'state'),
      LOG_LEVEL: 'info',
      HEALTH_LAG_MS: '1000',
      CALL_END_GRACE_MS: '5000',
    },
  });
  const close = async () => {
    await stage.close();
    await rm(directory, { recursive: true, force: true });
  };
  const samples = bytesOf(distinctSamples(CALL_SECONDS * SAMPLES_PER_SECOND));
  const long = { customer: samples, agent: samples };
  const running = await stage.call(long);
  const broken = await stage.call(long);
  const gap = await stage.call({ ...long, options: { missingFragments: [1, 2] } });
  const others = [await stage.call(long), await stage.call(long)];
  const short = samples.subarray(0, 4 * SAMPLES_PER_SECOND * 2);
  const completed = await stage.call({ customer: short, agent: short });
  const lost = await stage.call(long);
  const refused = await stage.call(long);
  await stage.deepgram.addFaultsFor(broken.contactId, { closeAfterMs: TROUBLED_MS, code: 1011, reason: 'NET-0001' });
  await stage.deepgram.addFaultsFor(
    lost.contactId,
    { closeAfterMs: TROUBLED_MS, code: 1011, reason: 'NET-0000' },
    { refuse: 402 },
  );
  await stage.deepgram.addFaultsFor(refused.contactId, { refuse: 401 });
  await Promise.all([running, broken, gap, ...others, completed, lost, refused].map((call) => stage.start(call)));
  await Promise.all([
    stage.ended(lost.contactId),
    stage.ended(completed.contactId),
    stage.deepgramHas(gap.contactId, TROUBLED_MS),
    stage.daemon.line(({ event, contactId }) => event === 'deepgram.reconnected' && contactId === broken.contactId),
  ]);
  const contacts = {
    running: running.contactId,
    broken: broken.contactId,
    refused: refused.contactId,
    lost: lost.contactId,
    completed: completed.contactId,
  };
  return { stage, env, contacts, close };
}
