/** Where the stack will be deployed, if known. */
export interface Place {
  readonly region?: string | undefined;
  readonly account?: string | undefined;
}

/** The settings that contain a region or an account. */
interface Arns {
  readonly connectInstanceArn?: readonly string[] | undefined;
  readonly streamsKmsKeyArn?: string | undefined;
  readonly deepgramKeySecretArn?: string | undefined;
  readonly deepgramKeySecretKmsKeyArn?: string | undefined;
}

/** Settings in another region or account than required, a line each. */
export function misplacedIn(given: Arns, { region, account }: Place): string[] {
  const instances = (given.connectInstanceArn ?? []).map(whereIs);
  const [connect = {}] = instances;
  const streamsKey = whereIs(given.streamsKmsKeyArn).region;
  const secretsKey = whereIs(given.deepgramKeySecretKmsKeyArn).region;
  const secret = whereIs(given.deepgramKeySecretArn).region;
  const elsewhere = instances.find((each) => each.region !== connect.region || each.account !== connect.account);
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
      streamsKey,
      connect.region ?? region,
      `streamsKmsKeyArn is in ${streamsKey}, but Connect's streams are in ${connect.region ?? region}: use the key there`,
    ],
    [
      secretsKey,
      secret,
      `deepgramKeySecretKmsKeyArn is in ${secretsKey}, but the secret is in ${secret}: use the key that encrypts it there`,
    ],
  ];
  return rules.flatMap(([one, other, line]) =>
    one === undefined || other === undefined || one === other ? [] : [line],
  );
}

interface Route extends Arns {
  readonly privateLink: 'on' | 'off';
  readonly natGateways: number;
  readonly vpcId?: string | undefined;
}

/** A secret in another region: PrivateLink's endpoint is only for the stack's own. A line if there is no other route. */
export function unreachableIn(given: Route, place: Place): string[] {
  const region = whereIs(given.connectInstanceArn?.[0]).region ?? place.region;
  const secret = whereIs(given.deepgramKeySecretArn).region;
  const hasInternet = given.vpcId === undefined && given.natGateways > 0;
  if (given.privateLink === 'off' || hasInternet || !region || !secret || secret === region) return [];
  return [
    `deepgramKeySecretArn is in ${secret}, out of reach of PrivateLink in ${region}: replicate the secret there ` +
      '(aws secretsmanager replicate-secret-to-regions), and use the ARN of the replica',
  ];
}

function whereIs(arn: string | undefined): Place {
  const [, , , region, account] = arn?.split(':') ?? [];
  return { region, account };
}
