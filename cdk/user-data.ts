import { Token } from 'aws-cdk-lib';
import { UserData } from 'aws-cdk-lib/aws-ec2';

/** The daemon's settings, of which none is a secret: any process of the instance can read user data. */
export type DaemonSettings = Readonly<Record<string, string>>;

const SETTINGS_FILE = '/etc/integratord/integratord.env';
const END = 'END_OF_SETTINGS';

/** Gives the image's daemon its settings, starts it, and sends its log to the log group. */
export function userDataWith(settings: DaemonSettings, logGroupName: string): UserData {
  const userData = UserData.forLinux({ shebang: '#!/bin/sh' });
  userData.addCommands(
    'set -eu',
    // Between quoted delimiters the shell expands nothing: what a value holds stays a value.
    [`cat >${SETTINGS_FILE} <<'${END}'`, ...Object.entries(settings).map(settingLine), END].join('\n'),
    // Not waited for, so that the log of one that does not come up is sent too; and first, so that no agent that hangs
    // keeps calls from being transcribed.
    'systemctl restart --no-block integratord',
    // What has been said by then is in the journal, and goes along.
    `/usr/local/sbin/integratord-log-group '${logGroupName}' || logger -t integratord-user-data 'no log to CloudWatch'`,
  );
  return userData;
}

/** NAME="value" as systemd reads it: in double quotes, a backslash before what would end or change the value. */
function settingLine([name, value]: [string, string]): string {
  if (/[\r\n]/.test(value)) throw new Error(`${name} has more than one line, which no setting can have`);
  // What CloudFormation fills in is an ARN or a name; a backslash here would break the place that it goes to.
  return `${name}="${Token.isUnresolved(value) ? value : value.replace(/["\\$`]/g, '\\$&')}"`;
}
