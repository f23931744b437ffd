/** The script of a worker thread: hosts sessions and handles the main thread's requests (messages.ts). */
import { parentPort, workerData } from 'node:worker_threads';
import { logFaults } from '../log/faults.ts';
import { createLog } from '../log/log.ts';
import { type Millis, systemClock } from '../runtime/clock.ts';
import { connectDirectlyByDefault, Egress, proxySecrets } from '../runtime/egress.ts';
import { secretValues } from '../secrets/secret-settings.ts';
import { openSecrets } from '../secrets/secrets.ts';
import type { HostedSession } from './host.ts';
import { hostingThread } from './hosting-thread.ts';
import type { FromWorker, Methods, Request, ToWorker, WorkerSettings } from './messages.ts';
import { packError } from './packed-error.ts';

const COUNTS_EVERY_MS: Millis = 1000;

const { settings, logLevel, name, workers } = workerData as WorkerSettings;
const log = createLog(logLevel);
log.redactor.learn([...secretValues(settings.secrets, process.env), ...proxySecrets(settings.proxy?.url)]);
logFaults(log);
connectDirectlyByDefault();
const egress = new Egress(settings.proxy);
const secrets = await openSecrets(settings.secrets, systemClock, log, egress);
const thread = hostingThread({ settings, secrets, egress, log, name, threads: workers });
const sessions = new Map<string, HostedSession>();

const methods: { [Name in keyof Methods]: (params: Methods[Name]['params']) => Promise<Methods[Name]['result']> } = {
  start: async ({ seed, timeoutMs }) => follow(seed.sessionId, await thread.host.start(seed, timeoutMs)),
  resume: async ({ checkpoint }) => follow(checkpoint.sessionId, await thread.host.resume(checkpoint)),
  views: () => thread.host.views(),
  details: ({ sessionId }) => thread.host.details(sessionId),
  settleResults: async () => void (await thread.host.settleResults()),
  metrics: async () => thread.counted(),
};

parentPort?.on('message', (message: ToWorker) => {
  if (message.type === 'stop') sessions.get(message.sessionId)?.stop(message);
  else if (message.type === 'hurry-results') thread.host.hurryResults();
  else if (message.type === 'log-level') log.setLevel(message.level);
  else void respond(message);
});

// So that its counts survive a crash of the thread.
systemClock.every(COUNTS_EVERY_MS, () => send({ type: 'counted', snapshot: thread.counted() }));

function send(message: FromWorker): void {
  parentPort?.postMessage(message);
}

async function respond(request: Request): Promise<void> {
  const { id, type } = request;
  try {
    // The request's type names its method; the compiler cannot follow that.
    send({ type: 'result', id, result: await methods[type](request as never) });
  } catch (error) {
    send({ type: 'error', id, error: packError(error) });
  }
}

function follow(sessionId: string, session: HostedSession): undefined {
  sessions.set(sessionId, session);
  void session.ending.then(() => send({ type: 'ending', sessionId }));
  void session.ended.then((outcome) => {
    sessions.delete(sessionId);
    send({ type: 'ended', sessionId, outcome });
  });
}
