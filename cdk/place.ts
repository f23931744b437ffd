import { RegionInfo } from 'aws-cdk-lib/region-info';

/** Where the stack will be deployed, if known. */
export interface Place {
  readonly region?: string | undefined;
  readonly account?: string | undefined;
}

/** The settings that contain a region or an account. */
interface Arns {
  readonly availabilityZones?: readonly string[] | undefined;
  readonly connectInstanceArn?: readonly string[] | undefined;
  readonly streamsKmsKeyArn?: string | undefined;
  readonly deepgramKeySecretArn?: string | undefined;
  readonly deepgramKeySecretKmsKeyArn?: string | undefined;
  /** Or `on`, or `off`. */
  readonly transcriptStream?: string | undefined;
  readonly transcriptStreamKmsKeyArn?: string | undefined;
  readonly webhookSecretArn?: string | undefined;
  readonly webhookSecretKmsKeyArn?: string | undefined;
}

/** Settings in another region or account than required, a line each. */
export function misplacedIn(given: Arns, { region, account }: Place): string[] {
  const instances = (given.connectInstanceArn ?? []).map(whereIs);
  const [connect = {}] = instances;
  const streamsKey = whereIs(given.streamsKmsKeyArn).region;
  const secretsKey = whereIs(given.deepgramKeySecretKmsKeyArn).region;
  const secret = whereIs(given.deepgramKeySecretArn).region;
  const webhookKey = whereIs(given.webhookSecretKmsKeyArn).region;
  const webhookSecret = whereIs(given.webhookSecretArn).region;
  const elsewhere = instances.find((each) => each.region !== connect.region || each.account !== connect.account);
  const [zone] = given.availabilityZones ?? [];
  const zonesRegion = connect.region ?? region ?? regionOfZone(zone);
  const otherZone = given.availabilityZones?.find((each) => regionOfZone(each) !== zonesRegion);
  const rules: [one: string | undefined, other: string | undefined, line: string][] = [
    [
      connect.region,
      region,
      `connectInstanceArn is in ${connect.region}, but the stack would be in ${region}: set AWS_REGION=${connect.region}`,
    ],
    [
      connect.account,
      account,
      `connectInstanceArn is in account ${connect.account}, but the stack would be in ${account}: use credentials of ${connect.account}`,
    ],
    [
      elsewhere && `${elsewhere.region} ${elsewhere.account}`,
      `${connect.region} ${connect.account}`,
      `connectInstanceArn has instances of different regions or accounts: deploy a stack for each`,
    ],
    [
      regionOfZone(otherZone),
      zonesRegion,
      `availabilityZones has ${otherZone}, but the stack would be in ${zonesRegion}: choose two zones there`,
    ],
    [
      streamsKey,
      connect.region ?? region,
      `streamsKmsKeyArn is in ${streamsKey}, but Connect's streams are in ${connect.region ?? region}: use the key there`,
    ],
    [
      secretsKey,
      secret,
      `deepgramKeySecretKmsKeyArn is in ${secretsKey}, but the secret is in ${secret}: use the key that encrypts it there`,
    ],
    [
      webhookKey,
      webhookSecret,
      `webhookSecretKmsKeyArn is in ${webhookKey}, but the secret is in ${webhookSecret}: use the key that encrypts it there`,
    ],
  ];
  const misplaced = rules.flatMap(([one, other, line]) =>
    one === undefined || other === undefined || one === other ? [] : [line],
  );
  const home = { region: connect.region ?? region, account: connect.account ?? account };
  return [...misplaced, ...ofOtherPartitionsIn(given, home.region), ...unreadableIn(given, home.account)];
}

/** ARNs of another partition (China, GovCloud) than their own region's or the stack's: nothing reaches across. */
function ofOtherPartitionsIn(given: Arns, region: string | undefined): string[] {
  const ofStack = partitionOf(region);
  return Object.entries(arnsIn(given)).flatMap(([name, arns]) => {
    const lines = arns.flatMap((arn) => {
      const partition = arn.split(':')[1];
      const own = whereIs(arn).region;
      const ofRegion = partitionOf(own);
      if (ofRegion !== undefined && partition !== ofRegion) {
        return [`${name} begins with arn:${partition}, but ${own} is in ${ofRegion}: copy the ARN from the console`];
      }
      if (ofStack !== undefined && partition !== ofStack) {
        return [`${name} is in partition ${partition}, but the stack would be in ${ofStack}, which cannot reach it`];
      }
      return [];
    });
    return lines.slice(0, 1);
  });
}

/** Secrets in other accounts: their AWS managed key serves their own account only. */
function unreadableIn(given: Arns, account: string | undefined): string[] {
  const secrets = [
    ['deepgramKeySecretArn', 'deepgramKeySecretKmsKeyArn'],
    ['webhookSecretArn', 'webhookSecretKmsKeyArn'],
  ] as const;
  return secrets.flatMap(([name, keyName]) => {
    const other = whereIs(given[name]).account;
    if (!account || !other || other === account || given[keyName] !== undefined) return [];
    return [
      `${name} is in account ${other}, but the stack would be in ${account}, and the AWS managed key serves its own account ` +
        `only: create the secret in ${account}, or set ${keyName} and let its policy and the secret's allow ${account}`,
    ];
  });
}

/** The settings that are ARNs, by name. */
function arnsIn(given: Arns): Record<string, readonly string[]> {
  const { connectInstanceArn = [], streamsKmsKeyArn, deepgramKeySecretArn, deepgramKeySecretKmsKeyArn } = given;
  const { transcriptStream, transcriptStreamKmsKeyArn, webhookSecretArn, webhookSecretKmsKeyArn } = given;
  const single = {
    streamsKmsKeyArn,
    deepgramKeySecretArn,
    deepgramKeySecretKmsKeyArn,
    transcriptStream,
    transcriptStreamKmsKeyArn,
    webhookSecretArn,
    webhookSecretKmsKeyArn,
  };
  const arns = Object.entries(single).map(([name, value]) => [name, value?.startsWith('arn:') ? [value] : []] as const);
  return { connectInstanceArn, ...Object.fromEntries(arns) };
}

/** Undefined for a region that CDK does not know yet. */
function partitionOf(region: string | undefined): string | undefined {
  return region === undefined ? undefined : RegionInfo.get(region).partition;
}

interface Route extends Arns {
  readonly privateLink: 'on' | 'off';
  readonly natGateways: number;
  readonly vpcId?: string | undefined;
}

/** Resources in another region, one line each: PrivateLink's endpoints serve only the stack's, and there is no other route. */
export function unreachableIn(given: Route, place: Place): string[] {
  const region = whereIs(given.connectInstanceArn?.[0]).region ?? place.region;
  const hasInternet = given.vpcId === undefined && given.natGateways > 0;
  if (given.privateLink === 'off' || hasInternet || !region) return [];
  const replicate =
    'replicate the secret there (aws secretsmanager replicate-secret-to-regions), and use the ARN of the replica';
  const remedies = {
    deepgramKeySecretArn: replicate,
    webhookSecretArn: replicate,
    transcriptStream: 'use a stream there',
  };
  return Object.entries(remedies).flatMap(([name, remedy]) => {
    const other = whereIs(given[name as keyof typeof remedies]).region;
    if (!other || other === region) return [];
    return [`${name} is in ${other}, out of reach of PrivateLink in ${region}: ${remedy}`];
  });
}

function regionOfZone(zone: string | undefined): string | undefined {
  return zone?.slice(0, -1);
}

function whereIs(arn: string | undefined): Place {
  const [, , , region, account] = arn?.split(':') ?? [];
  return { region, account };
}
