import { CONTROL_SOCKET_PATH } from './control-api.ts';
import { DEEPGRAM_API } from './deepgram-api.ts';
import { LOG_LEVELS } from './log-levels.ts';
import { METRICS_NAMESPACE } from './metrics-namespace.ts';

/** A setting of the daemon as documentation shows it, in Markdown; daemon/config.ts has its type and its bounds. */
interface SettingText {
  /** The default: a value as `code`, or a word. */
  readonly byDefault: string;
  readonly description: string;
}

const REQUIRED = 'required';
const NONE = 'none';
const code = (value: string | number) => `\`${value}\``;

/** Every environment variable that the daemon reads its settings from; daemon/SETTINGS.md, integratord(8) and `config` follow it. */
export const SETTINGS = {
  DEEPGRAM_API_KEY: {
    byDefault: REQUIRED,
    description: `the API key; \`DEEPGRAM_API_KEY_FILE\` or \`DEEPGRAM_API_KEY_SECRET_ARN\` can take its place`,
  },
  DEEPGRAM_API_KEY_SECRET_ARN: {
    byDefault: NONE,
    description: 'ARN of the secret in AWS Secrets Manager that holds the key as plain text',
  },
  APP_REGION: { byDefault: NONE, description: 'name of `AWS_REGION` in the original; wins over it' },
  AWS_REGION: { byDefault: REQUIRED, description: 'region of the Kinesis video streams' },
  DEEPGRAM_API: {
    byDefault: code(DEEPGRAM_API),
    description:
      'URL of Deepgram, or a base URL to which `/v1/listen` is added; ws, wss, http or https; not `/v2/listen`, whose Flux models take one channel',
  },
  TRIGGER_SECRET: {
    byDefault: NONE,
    description:
      'verifies the signatures of start requests, at least 8 characters; `TRIGGER_SECRET_FILE` or `TRIGGER_SECRET_ARN` can take its place. Without it, unsigned requests are accepted, with a warning in the log',
  },
  TRIGGER_SECRET_ARN: {
    byDefault: NONE,
    description: 'ARN of the secret in AWS Secrets Manager that holds TRIGGER_SECRET as plain text',
  },
  PORT: { byDefault: code(8080), description: 'port for start requests and health checks' },
  HOST: { byDefault: code('0.0.0.0'), description: 'address to listen on' },
  WORKERS: {
    byDefault: 'one per vCPU; 0 on a single vCPU',
    description: 'worker threads that host the sessions; with 0 the main thread hosts them',
  },
  MAX_SESSIONS: { byDefault: code(500), description: 'further start requests are answered with 503' },
  CALL_END_GRACE_MS: {
    byDefault: code(15_000),
    description: 'a call has ended when no fragment arrived for this long and at least two attempts found none',
  },
  ROTATE_AFTER_MS: {
    byDefault: code(2_400_000),
    description: 'a Kinesis connection of this age is replaced, before Kinesis ends it at about 45 minutes',
  },
  ALIGN_WAIT_MS: {
    byDefault: code(200),
    description:
      'how long a channel waits for the other, and a late block for the next ones, before missing audio becomes silence',
  },
  REPLAY_MS: {
    byDefault: code(6000),
    description:
      'after a reconnect in callback mode, this much audio plus 1 s is sent again; up to 30000. Set it to the length of the longest utterance: a repeated word is better than a lost one',
  },
  DEEPGRAM_GIVE_UP_MS: {
    byDefault: code(300_000),
    description: 'a session fails when Deepgram stays unreachable for this long',
  },
  STATE_KEY: {
    byDefault: 'DEEPGRAM_API_KEY',
    description:
      'encrypts checkpoints, undelivered events and dead letters; at least 16 characters; `STATE_KEY_FILE` or `STATE_KEY_SECRET_ARN` can take its place. Everything is encrypted again when it changes; values before it decrypt for 14 days',
  },
  STATE_KEY_SECRET_ARN: {
    byDefault: NONE,
    description: 'ARN of the secret in AWS Secrets Manager that holds STATE_KEY as plain text',
  },
  STATE_DIR: {
    byDefault: NONE,
    description: 'directory for checkpoints and undelivered events; with it, sessions survive a crash',
  },
  HEALTH_LAG_MS: {
    byDefault: code(20_000),
    description:
      'how long the load balancer may keep sending starts after the health check fails; a drain accepts them for this long',
  },
  DRAIN_DEADLINE_MS: {
    byDefault: code(7_200_000),
    description: 'sessions still running this long after a drain began are ended cleanly; 0 means no deadline',
  },
  CONTROL_SOCKET: {
    byDefault: code(CONTROL_SOCKET_PATH),
    description: 'UNIX socket of mode 0660 for `integratorctl`; the default is served only if its directory exists',
  },
  HTTPS_PROXY: {
    byDefault: NONE,
    description:
      'http or https URL of a proxy, which may contain credentials; `HTTPS_PROXY_FILE` can take its place. Connections to Deepgram, AWS and webhooks are tunnels through it (CONNECT). `https_proxy` counts too, and wins. Plain HTTP is never proxied: HTTP_PROXY is ignored',
  },
  NO_PROXY: {
    byDefault: NONE,
    description:
      'hosts to connect to without the proxy, separated by commas: `host`, `.suffix`, `*.suffix`, `host:port`, CIDR blocks, IPv4 ranges `a-b`, `*`. `no_proxy` counts too, and wins. Loopback and link-local addresses, such as the metadata service, are never proxied',
  },
  LOG_LEVEL: {
    byDefault: code('info'),
    description: `${LOG_LEVELS.map(code).join(', ')}; \`debug\` logs transcripts that come back to the daemon; \`integratorctl log-level\` changes the level until the next start`,
  },
  METRICS_PORT: {
    byDefault: NONE,
    description: 'serves `GET /metrics` for Prometheus on a port of its own; without it, on `PORT`',
  },
  RESULTS_WEBHOOK: {
    byDefault: NONE,
    description:
      'https URL that the events of calls are posted to (daemon/results/DELIVERY.md), except those of flows that name a callback or a webhook of their own, or `dgintegrator_webhook=UNSET`; `{contact-id}` is replaced',
  },
  RESULTS_STREAM: {
    byDefault: NONE,
    description: 'ARN of a Kinesis data stream that the events of all calls go to, in the schema of Contact Lens',
  },
  RESULTS_SECRET: {
    byDefault: NONE,
    description:
      "signs what is posted to webhooks: `whsec_` and base64 (with its `=`) of 24 to 64 bytes for RESULTS_WEBHOOK's host, or a JSON object of host names to these; `RESULTS_SECRET_FILE` or `RESULTS_SECRET_ARN` can take its place. Only these hosts are posted to. A changed secret signs beside the one before for 24 hours",
  },
  RESULTS_SECRET_ARN: {
    byDefault: NONE,
    description: 'ARN of the secret in AWS Secrets Manager that holds RESULTS_SECRET',
  },
  RESULTS_GIVE_UP_MS: {
    byDefault: code(3_600_000),
    description: 'an event that cannot be delivered for this long becomes a dead letter',
  },
  RESULTS_SPOOL_MIB: {
    byDefault: code(768),
    description:
      'disk space for undelivered events (STATE_DIR), and again for dead letters that are kept there; a third of it is kept in memory too. Beyond it the oldest events become dead letters, or are lost and counted',
  },
  RESULTS_DEAD_LETTERS: {
    byDefault: 'STATE_DIR',
    description: 's3://BUCKET/PREFIX where dead letters are kept, encrypted; every instance can send them again',
  },
  RESULTS_ALLOW_LOCAL: {
    byDefault: 'off',
    description: '`on` allows webhooks on this host, and over http: for demo and tests',
  },
  METRICS_STACK: {
    byDefault: NONE,
    description: `name of the stack; with it, metrics go to CloudWatch once a minute, in the namespace ${code(METRICS_NAMESPACE)}`,
  },
} as const satisfies Record<string, SettingText>;

export type SettingName = keyof typeof SETTINGS;
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];
