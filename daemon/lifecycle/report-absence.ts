import { readFileSync } from 'node:fs';
import { createLog, errorFields } from '../log/log.ts';
import { systemClock as clock } from '../runtime/clock.ts';
import { connectDirectlyByDefault, Egress, proxySecrets } from '../runtime/egress.ts';
import { proxyVariables } from '../runtime/proxy-environment.ts';
import { absenceDecision } from './absence.ts';
import { connectAutoScaling, type Group } from './auto-scaling.ts';
import { connectMetadata } from './metadata.ts';

/** The watcher (systemd/integratord-absence.sh) forgets how long the daemon has been away. */
const EXIT_LEFT_ALONE = 3;
/** All requests together; the watcher runs again half a minute later. */
const TIMEOUT_MS = 20_000;
const NO_GROUP: Group = { instances: [], desiredCapacity: 0 };

// Run by the watcher when this instance has been without a daemon for five minutes.
const log = createLog('info');
const metadata = connectMetadata(process.env, clock);
try {
  process.exitCode = metadata.absence === undefined ? await reportAbsence() : EXIT_LEFT_ALONE;
} catch (error) {
  log.error({ event: 'absence.failed', ...errorFields(error) }, 'cannot report the missing daemon to Auto Scaling');
  process.exitCode = 1;
}

async function reportAbsence(): Promise<number> {
  connectDirectlyByDefault();
  const autoScaling = connectAutoScaling(() => metadata.region(), clock, egressOf(process.env));
  const signal = clock.timeout(TIMEOUT_MS);
  const instanceId = await metadata.instanceId();
  const own = await autoScaling.findMember(instanceId, signal);
  const group = own ? await autoScaling.describeGroup(own.groupName, signal) : NO_GROUP;
  const decision = absenceDecision(instanceId, group);
  if (decision.name === 'report') {
    await autoScaling.reportUnhealthy(instanceId, signal);
    const message = 'no daemon for too long: reported this instance to Auto Scaling, which replaces it';
    log.error({ event: 'absence.reported', instanceId, groupName: own?.groupName }, message);
    return 0;
  }
  const message = decision.name === 'wait' ? 'no daemon: another instance is replaced first' : 'no daemon: left alone';
  log.warn({ event: 'absence.not-reported', instanceId, why: decision.why }, message);
  return decision.name === 'wait' ? 0 : EXIT_LEFT_ALONE;
}

/** As the daemon's; direct if its proxy setting is invalid, which may be why the daemon ended. */
function egressOf(env: NodeJS.ProcessEnv): Egress {
  try {
    const { HTTPS_PROXY: url, NO_PROXY: noProxy = '' } = proxyVariables(env, readIfThere);
    log.redactor.learn(proxySecrets(url));
    return new Egress(url === undefined ? undefined : { url, noProxy });
  } catch {
    return new Egress();
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
