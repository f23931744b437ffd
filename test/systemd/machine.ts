import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionView } from '../../daemon/contract/control-api.ts';
import { signatureHeaders } from '../../daemon/contract/signing.ts';
import { API_KEY, type LiveCall, type Simulators } from './simulators.ts';
import type { Unit } from './unit.ts';

const TRIGGER_SECRET = 'trigger-secret-of-the-systemd-test';
/** A name that leads to the machine itself. */
const LOCAL_CONSUMER = 'consumer.example';
export const LOCAL_WEBHOOK = `https://${LOCAL_CONSUMER}/{contact-id}`;
const RESULTS_SECRET = `whsec_${Buffer.alloc(32, 'results-secret').toString('base64')}`;
/** What nobody but the daemon may see. */
export const SECRETS = [API_KEY, TRIGGER_SECRET, RESULTS_SECRET];

/** A machine with integratord: its root file system, its unit, and the services it uses. */
export class Machine {
  readonly root: string;
  readonly unit: Unit;
  readonly simulators: Simulators;
  #url = '';

  constructor(root: string, unit: Unit, simulators: Simulators) {
    this.root = root;
    this.unit = unit;
    this.simulators = simulators;
  }

  /** Writes settings and secrets, like an administrator before the first start. */
  async configure(): Promise<void> {
    const { kinesis, deepgram } = this.simulators;
    const settings = {
      AWS_REGION: 'us-east-1',
      HOST: '127.0.0.1',
      PORT: '0',
      AWS_ENDPOINT_URL_KINESIS_VIDEO: kinesis.url,
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'no-secret',
      AWS_EC2_METADATA_DISABLED: 'true',
      DEEPGRAM_API: deepgram.url,
      // Fragments come every second; a machine that stalls for a second must not end a call.
      CALL_END_GRACE_MS: '4000',
      HEALTH_LAG_MS: '500',
      // Undelivered events hold up the end of the daemon.
      RESULTS_GIVE_UP_MS: '10000',
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    const directory = join(this.root, 'etc/integratord');
    await writeFile(join(directory, 'integratord.env'), lines.join(''));
    await writeFile(join(directory, 'credentials/deepgram-api-key'), `${API_KEY}\n`);
    await writeFile(join(directory, 'credentials/trigger-secret'), `${TRIGGER_SECRET}\n`);
    const secrets = JSON.stringify({ [LOCAL_CONSUMER]: RESULTS_SECRET });
    await writeFile(join(directory, 'credentials/results-secret'), `${secrets}\n`);
    await appendFile(join(this.root, 'etc/hosts'), `127.0.0.1 ${LOCAL_CONSUMER}\n`);
  }

  /** Waits until a daemon that started after `mark` of the journal reports its address. */
  async listening(mark: number): Promise<void> {
    const { listening } = await this.unit.journal.event('daemon.started', {}, mark);
    this.#url = String(listening);
  }

  async health(): Promise<number> {
    const response = await fetch(new URL('/health-check', this.#url));
    await response.arrayBuffer();
    return response.status;
  }

  /** Sends a start request, as the trigger does; returns the HTTP status. */
  async start({ request }: LiveCall, { signed = true } = {}): Promise<number> {
    const body = JSON.stringify(request);
    const headers = signed ? signatureHeaders(TRIGGER_SECRET, body, Date.now()) : {};
    const response = await fetch(new URL('/start-session', this.#url), { method: 'POST', body, headers });
    await response.arrayBuffer();
    return response.status;
  }

  /** Runs `integratorctl sessions --json` inside. */
  async sessions(): Promise<readonly SessionView[]> {
    const shown = await this.unit.container.run('integratorctl', 'sessions', '--json');
    return (JSON.parse(shown) as { sessions: readonly SessionView[] }).sessions;
  }

  /** Waits for the end of the call's session; returns its last log line. */
  ended({ request }: LiveCall): Promise<Record<string, unknown>> {
    return this.unit.journal.event('session.ended', { contactId: request.contactId });
  }
}
