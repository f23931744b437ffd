import type { Check } from '../contract/control-api.ts';
import { DeepgramRefused } from '../deepgram/errors.ts';
import { type DeepgramSettings, openSocket } from '../deepgram/socket.ts';
import type { Kinesis } from '../kinesis/client.ts';
import { KinesisRefused } from '../kinesis/refusal.ts';
import type { DestinationCheck } from '../results/destination-checks.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Egress } from '../runtime/egress.ts';
import type { ManagedSecret } from '../secrets/managed-secret.ts';

/** What the checks of services need; a daemon need not run. */
export interface ServiceOptions {
  readonly settings: { readonly region: string };
  readonly kinesis: Pick<Kinesis, 'probe'>;
  readonly deepgram: DeepgramSettings;
  readonly egress: Egress;
  readonly secrets: { readonly managed: readonly Pick<ManagedSecret, 'setting' | 'arn' | 'fault' | 'renew'>[] };
  readonly results: { destinationChecks(): readonly DestinationCheck[] };
  readonly clock: Clock;
}

/** How long Kinesis and Deepgram may take; an operator is waiting. */
const TIMEOUT_MS: Millis = 5000;
const HTTPS_PORT = 443;
/** Kinesis rejects signatures that are more than five minutes off, and so does POST /start-session. */
const SKEW_WARN_MS: Millis = 30_000;
const SKEW_FAIL_MS: Millis = 300_000;

/** Checks what can be reached from here: the secrets, the proxy, Deepgram, AWS and where results go. */
export async function checkServices(options: ServiceOptions): Promise<Check[]> {
  const [proxy, deepgram, aws, secrets, results] = await Promise.all([
    checkProxy(options),
    checkDeepgram(options),
    checkAws(options),
    checkSecrets(options),
    checkResults(options),
  ]);
  return [...secrets, ...proxy, deepgram, ...aws, ...results];
}

async function checkSecrets({ secrets: { managed } }: ServiceOptions): Promise<Check[]> {
  await Promise.all(managed.map((secret) => secret.renew()));
  return managed.map(({ setting, arn, fault }) => {
    const name = `secret ${setting}`;
    if (fault === undefined) return { name, verdict: 'ok', detail: `read from ${arn}` };
    const remedy = 'the last value is still used, but a restart would fail';
    return { name, verdict: 'warn', detail: fault, remedy };
  });
}

/** Whether events can get where they go. */
function checkResults({ results }: ServiceOptions): Promise<Check[]> {
  const checks = results.destinationChecks().map(async ({ name, ok, remedy, attempt }): Promise<Check> => {
    try {
      await attempt();
      return { name, verdict: 'ok', detail: ok };
    } catch (error) {
      const { message, name: kind, code } = error as NodeJS.ErrnoException;
      return { name, verdict: 'fail', detail: message || code || kind, remedy };
    }
  });
  return Promise.all(checks);
}

/** Whether the proxy opens a tunnel to Deepgram, or else to AWS. */
async function checkProxy({ egress, deepgram, settings }: ServiceOptions): Promise<Check[]> {
  const { proxyName } = egress;
  if (proxyName === undefined) return [];
  const name = 'egress proxy';
  const target = [deepgramTarget(deepgram), { host: `kinesisvideo.${settings.region}.amazonaws.com`, port: HTTPS_PORT }]
    .filter((each) => each !== undefined)
    .find(({ host, port }) => egress.isProxied(host, port));
  if (!target) {
    const remedy = 'remove HTTPS_PROXY, or list fewer hosts in NO_PROXY';
    return [
      { name, verdict: 'warn', detail: `${proxyName} is set but not used: NO_PROXY excludes every host`, remedy },
    ];
  }
  const { promise, resolve } = Promise.withResolvers<Error | null>();
  egress.tunnelTls(
    target,
    (error, socket) => {
      socket?.destroy();
      resolve(error);
    },
    TIMEOUT_MS,
  );
  const error = await promise;
  const reached = `${target.host}:${target.port}`;
  if (!error) return [{ name, verdict: 'ok', detail: `${proxyName} opens tunnels, such as to ${reached}` }];
  const remedy = 'check HTTPS_PROXY and its credentials, and that the proxy allows CONNECT to Deepgram and AWS';
  return [{ name, verdict: 'fail', detail: error.message, remedy }];
}

/** Undefined for a Deepgram without TLS, which no proxy is used for. */
function deepgramTarget({ baseUrl }: DeepgramSettings): { host: string; port: number } | undefined {
  const { protocol, hostname, port } = new URL(baseUrl);
  return protocol === 'wss:' ? { host: hostname, port: Number(port || HTTPS_PORT) } : undefined;
}

async function checkDeepgram({ deepgram, clock }: ServiceOptions): Promise<Check> {
  const name = 'deepgram';
  const { host } = new URL(deepgram.baseUrl);
  const events = { onMessage: () => {}, onPong: () => {}, onTaken: () => {} };
  try {
    const socket = await openSocket(deepgram, {}, events, clock.timeout(TIMEOUT_MS));
    socket.sendCloseStream();
    socket.terminate();
    return { name, verdict: 'ok', detail: `${host} is reachable and accepts the key` };
  } catch (error) {
    const detail = (error as Error).message;
    if (!(error instanceof DeepgramRefused)) {
      return { name, verdict: 'fail', detail, remedy: `check DEEPGRAM_API, DNS, TLS and the route to ${host}` };
    }
    if (error.status === 401 || error.status === 403) {
      return {
        name,
        verdict: 'fail',
        detail,
        remedy: 'set DEEPGRAM_API_KEY to a key with access to streaming transcription',
      };
    }
    if (error.status === 402) return { name, verdict: 'fail', detail, remedy: 'add credit to the Deepgram account' };
    return { name, verdict: 'warn', detail, remedy: 'check Deepgram’s status page; the key was not refused' };
  }
}

async function checkAws({ kinesis, settings, clock }: ServiceOptions): Promise<Check[]> {
  const name = 'kinesis video';
  try {
    const { clockSkewMs } = await kinesis.probe(clock.timeout(TIMEOUT_MS));
    const detail = `credentials work in ${settings.region}, and GetDataEndpoint is allowed`;
    return [{ name, verdict: 'ok', detail }, checkClock(clockSkewMs)];
  } catch (error) {
    const detail = (error as Error).message;
    if (error instanceof KinesisRefused && error.lacksCredentials) {
      const remedy = 'give the instance a role, or the daemon AWS credentials: it fails the health check until then';
      return [{ name, verdict: 'fail', detail, remedy }];
    }
    const isDenied = error instanceof KinesisRefused && error.status === 502;
    const remedy = isDenied
      ? 'allow the role kinesisvideo:GetDataEndpoint and kinesisvideo:GetMedia on Connect’s streams, and check the credentials'
      : `check the region, DNS and the route to Kinesis Video in ${settings.region}`;
    return [{ name, verdict: 'fail', detail, remedy }];
  }
}

function checkClock(skewMs: Millis): Check {
  const name = 'clock';
  const detail = `${Math.round(Math.abs(skewMs) / 1000)} s off AWS time`;
  if (Math.abs(skewMs) < SKEW_WARN_MS) return { name, verdict: 'ok', detail };
  return { name, verdict: Math.abs(skewMs) < SKEW_FAIL_MS ? 'warn' : 'fail', detail, remedy: 'start chrony' };
}
