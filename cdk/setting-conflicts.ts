import { DEEPGRAM_API } from '../daemon/contract/deepgram-api.ts';
import { type DaemonSettings, daemonFaultsIn } from './daemon-settings.ts';

/** Settings whose loss would take something from a running stack have a value that says so. */
export const NO_CONNECT = 'none';
export const NEW_SECRET = 'new';

const RESTORE =
  'Settings belong in cdk/cdk.context.json; the output RestoreSettings of a deployed stack writes that file';

/** The settings that depend on each other. */
interface Given {
  readonly amiId?: string | undefined;
  readonly profile: 'standard' | 'small';
  readonly connectInstanceArn?: readonly string[] | undefined;
  readonly deepgramApi: string;
  readonly deepgramKeySecretArn?: string | undefined;
  readonly deepgramKeySecretKmsKeyArn?: string | undefined;
  readonly transcriptStream: string;
  readonly webhook?: string | undefined;
  readonly vpcId?: string | undefined;
  readonly subnetIds?: readonly string[] | undefined;
  readonly availabilityZones?: readonly string[] | undefined;
  readonly natGateways: number;
  readonly privateLink: 'on' | 'off';
  readonly httpsProxy?: string | undefined;
  readonly noProxy?: string | undefined;
  readonly minInstances: number;
  readonly maxInstances: number;
  readonly desiredInstances?: number | undefined;
  readonly daemonSettings?: DaemonSettings | undefined;
}

/**
 * What a deployment must say, because a running stack would lose it otherwise: CDK's command line does not tell the app
 * what is deployed. Without an image the template asks for the same settings as parameters, and a deployment without them
 * is refused by name too.
 */
export function omissionsIn({ amiId, connectInstanceArn, deepgramKeySecretArn }: Given): string[] {
  if (amiId === undefined) return [];
  return [
    ...(connectInstanceArn === undefined
      ? [`connectInstanceArn is not set: a stack that has one would lose it. Set it, or \`${NO_CONNECT}\`. ${RESTORE}`]
      : []),
    ...(deepgramKeySecretArn === undefined
      ? [
          `deepgramKeySecretArn is not set: a stack that has one would lose it. Set it, or \`${NEW_SECRET}\`. ${RESTORE}`,
        ]
      : []),
  ];
}

/** Conflicts between settings that are valid by themselves. */
export function conflictsIn(given: Given): string[] {
  const { vpcId, subnetIds, minInstances, maxInstances, desiredInstances } = given;
  const rules: [boolean, string][] = [
    [
      (vpcId === undefined) !== (subnetIds === undefined),
      'vpcId and subnetIds belong together: set both for an existing VPC, neither for a new one',
    ],
    [
      vpcId !== undefined && given.availabilityZones !== undefined,
      'availabilityZones is about a new VPC: an existing one has the zones of subnetIds',
    ],
    [minInstances > maxInstances, `minInstances is ${minInstances}, above maxInstances (${maxInstances})`],
    [
      desiredInstances !== undefined && (desiredInstances < minInstances || desiredInstances > maxInstances),
      `desiredInstances is ${desiredInstances}, not between minInstances and maxInstances (${minInstances} to ${maxInstances})`,
    ],
    [
      given.natGateways === 0 &&
        vpcId === undefined &&
        given.httpsProxy === undefined &&
        given.profile !== 'small' &&
        (given.privateLink === 'off' || given.deepgramApi === DEEPGRAM_API),
      'natGateways is 0: without a route to the internet, privateLink must be on, and deepgramApi a reachable Deepgram of your own; or set httpsProxy',
    ],
    [
      given.natGateways === 0 &&
        vpcId === undefined &&
        given.httpsProxy !== undefined &&
        given.profile !== 'small' &&
        given.privateLink === 'off',
      'natGateways is 0: the trigger does not use httpsProxy, so it needs privateLink=on to reach Secrets Manager',
    ],
    [given.noProxy !== undefined && given.httpsProxy === undefined, 'noProxy is about httpsProxy: set that too'],
    [
      given.deepgramKeySecretKmsKeyArn !== undefined && !given.deepgramKeySecretArn?.startsWith('arn:'),
      'deepgramKeySecretKmsKeyArn is the key of the secret deepgramKeySecretArn: set that too',
    ],
    [
      given.profile === 'small' && (vpcId !== undefined || given.natGateways > 0 || given.privateLink === 'on'),
      'profile is small, which has a VPC of its own without NAT gateways: leave out vpcId, natGateways and privateLink',
    ],
    [
      given.deepgramKeySecretArn === NEW_SECRET && Math.max(minInstances, desiredInstances ?? 0) > 0,
      'deepgramKeySecretArn is `new`, an empty secret, and instances do not start without a key: set minInstances=0 and ' +
        'no desiredInstances, deploy, fill the secret (output FillDeepgramKey), and deploy again with its ARN and minInstances=2',
    ],
  ];
  return rules.flatMap(([isBroken, line]) => (isBroken ? [line] : []));
}

/** Settings that the daemon would not start with, by the stack's names. */
export function refusedByDaemon({ deepgramApi, webhook, daemonSettings = {}, ...given }: Given): string[] {
  const env = {
    ...daemonSettings,
    DEEPGRAM_API: deepgramApi,
    ...(webhook === undefined ? {} : { RESULTS_WEBHOOK: webhook }),
    ...(given.transcriptStream.startsWith('arn:') ? { RESULTS_STREAM: given.transcriptStream } : {}),
    ...(given.noProxy === undefined ? {} : { NO_PROXY: given.noProxy }),
  };
  const ours = {
    DEEPGRAM_API: 'deepgramApi',
    RESULTS_WEBHOOK: 'webhook',
    RESULTS_STREAM: 'transcriptStream',
    NO_PROXY: 'noProxy',
  };
  return daemonFaultsIn(env).map((line) => {
    const [name = '', ...words] = line.split(' ');
    return `${ours[name as keyof typeof ours] ?? `daemonSettings sets ${name}, which`} ${words.join(' ')}`;
  });
}
