import { readFileSync } from 'node:fs';
import type { Check } from '../contract/control-api.ts';
import type { Lifecycle, LifecycleView } from '../lifecycle/lifecycle.ts';
import type { Millis } from '../runtime/clock.ts';
import { checkServices, type ServiceOptions } from './service-checks.ts';

/** The settings that the doctor checks. */
interface DoctorSettings {
  readonly stateDir: string | undefined;
  readonly takesUnsignedStarts: boolean;
}

/** The part of the session manager that the doctor checks. */
interface Sessions {
  readonly size: number;
  readonly admission: { readonly maxSessions: number };
}

export interface DoctorOptions extends ServiceOptions {
  readonly settings: ServiceOptions['settings'] & DoctorSettings;
  readonly manager: Sessions;
  readonly lifecycle: Pick<Lifecycle, 'view'>;
}

/** Sockets per session: one to Kinesis, a second during a rotation, one to Deepgram. */
const FILES_PER_SESSION = 3;
/** Log, control socket, load balancer, checkpoints. */
const OTHER_FILES = 200;
/** Heartbeats are sent at a third of the time-out; a shorter one leaves no time for retries. */
const SHORTEST_HEARTBEAT_MS: Millis = 60_000;
/** Nearly full: scaling out takes minutes. */
const CAPACITY_WARN = 0.85;

/** Checks everything the daemon depends on, from this process and with its settings. */
export async function examine(options: DoctorOptions): Promise<Check[]> {
  const { settings, manager, lifecycle } = options;
  const services = await checkServices(options);
  const hook = checkHook(lifecycle.view());
  const files = checkFiles(manager.admission.maxSessions);
  return [...checkSettings(settings), ...services, hook, files, checkCapacity(manager)];
}

/** Warns of settings that are valid and that few want. */
export function checkSettings({ stateDir, takesUnsignedStarts }: DoctorSettings): Check[] {
  const signed: Check = !takesUnsignedStarts
    ? { name: 'signed starts', verdict: 'ok', detail: 'only starts signed with TRIGGER_SECRET are accepted' }
    : {
        name: 'signed starts',
        verdict: 'warn',
        detail: 'anyone who reaches the port can start sessions',
        remedy: 'set TRIGGER_SECRET for the daemon and the trigger',
      };
  const checkpoints: Check = stateDir
    ? { name: 'checkpoints', verdict: 'ok', detail: `in ${stateDir}` }
    : { name: 'checkpoints', verdict: 'warn', detail: 'a crash loses the running calls', remedy: 'set STATE_DIR' };
  return [signed, checkpoints];
}

function checkHook({ on, fault, groupName, terminatingHooks = [] }: LifecycleView): Check {
  const name = 'lifecycle hook';
  if (on && fault !== undefined) {
    const remedy =
      'allow this host the instance metadata service (IMDSv2); off EC2, set AWS_EC2_METADATA_DISABLED=true: ' +
      'until it responds, terminations and Spot notices are not noticed';
    return { name, verdict: 'warn', detail: `the instance metadata cannot be read: ${fault}`, remedy };
  }
  if (!on) return { name, verdict: 'ok', detail: 'not on EC2: only signals and operators start a drain' };
  if (!groupName) return { name, verdict: 'warn', detail: 'the instance is in no known Auto Scaling group' };
  const [hook] = terminatingHooks;
  if (!hook) {
    const remedy = 'add a terminating hook to the group: without one Auto Scaling does not wait for running calls';
    return { name, verdict: 'fail', detail: `${groupName} has no terminating hook`, remedy };
  }
  const detail = `${hook.name} of ${groupName}, heartbeat time-out ${hook.heartbeatTimeoutMs / 1000} s`;
  if (hook.heartbeatTimeoutMs >= SHORTEST_HEARTBEAT_MS) return { name, verdict: 'ok', detail };
  return {
    name,
    verdict: 'warn',
    detail,
    remedy: `give the hook a heartbeat time-out of ${SHORTEST_HEARTBEAT_MS / 1000} s or more`,
  };
}

/** Whether the limit on open files is high enough for this many sessions. */
export function checkFiles(maxSessions: number): Check {
  const name = 'file limit';
  const limit = openFilesLimit();
  const needed = maxSessions * FILES_PER_SESSION + OTHER_FILES;
  if (limit === undefined)
    return { name, verdict: 'warn', detail: 'the limit on open files is unknown on this system' };
  const detail = `${limit} open files; ${maxSessions} sessions need ${needed}`;
  if (limit >= needed) return { name, verdict: 'ok', detail };
  return {
    name,
    verdict: 'fail',
    detail,
    remedy: 'raise LimitNOFILE in the unit (without one, ulimit -n), or lower MAX_SESSIONS',
  };
}

function openFilesLimit(): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === 'unlimited' ? Infinity : Number(soft);
  } catch {
    // Only Linux has this file.
    return undefined;
  }
}

function checkCapacity({ admission, size }: Sessions): Check {
  const name = 'capacity';
  const detail = `${size} of ${admission.maxSessions} sessions`;
  if (size < admission.maxSessions * CAPACITY_WARN) return { name, verdict: 'ok', detail };
  return { name, verdict: 'warn', detail, remedy: 'add instances, or raise MAX_SESSIONS if CPU allows' };
}
