import { Token } from 'aws-cdk-lib';
import { UserData } from 'aws-cdk-lib/aws-ec2';
import type { DaemonSettings } from './daemon-settings.ts';

const SETTINGS_FILE = '/etc/integratord/integratord.env';
const END = 'END_OF_SETTINGS';

/** Writes the daemon's settings, starts it, and sends its log to the log group. */
export function userDataWith(settings: DaemonSettings, logGroupName: string): UserData {
  const { HTTPS_PROXY: proxy, NO_PROXY: noProxy } = settings;
  const userData = UserData.forLinux({ shebang: '#!/bin/sh' });
  userData.addCommands(
    'set -eu',
    // The quoted delimiter prevents the shell from expanding anything in a value.
    [`cat >${SETTINGS_FILE} <<'${END}'`, ...Object.entries(settings).map(settingLine), END].join('\n'),
    // Before the agent, so that a hanging agent does not delay calls; without waiting, so that the log of a daemon that
    // fails to start is sent too.
    'systemctl restart --no-block integratord',
    // Earlier lines are in the journal, and are sent too.
    ...(proxy === undefined ? [] : [agentsProxy(proxy, noProxy)]),
    `/usr/local/sbin/integratord-log-group '${logGroupName}' || logger -t integratord-user-data 'no log to CloudWatch'`,
  );
  return userData;
}

/** The agents' proxy; their failure must not cost calls. */
function agentsProxy(proxy: string, noProxy: string | undefined): string {
  const quoted = [proxy, ...(noProxy === undefined ? [] : [noProxy])].map((word) => `'${word}'`).join(' ');
  return `/usr/local/sbin/integratord-proxy ${quoted} || logger -t integratord-user-data 'no proxy for the AWS agents'`;
}

/** NAME="value" for systemd: in double quotes, special characters escaped with a backslash. */
function settingLine([name, value]: [string, string]): string {
  if (/[\r\n]/.test(value)) throw new Error(`${name} has more than one line, which a setting must not have`);
  // CloudFormation inserts only ARNs and names here; a backslash would break its placeholder.
  return `${name}="${Token.isUnresolved(value) ? value : value.replace(/["\\$`]/g, '\\$&')}"`;
}
