/** Where the stack is going to be, as far as that is known. */
export interface Place {
  readonly region?: string | undefined;
  readonly account?: string | undefined;
}

/** The settings that say where something is. */
interface Arns {
  readonly connectInstanceArn?: string | undefined;
  readonly streamsKmsKeyArn?: string | undefined;
  readonly deepgramKeySecretArn?: string | undefined;
  readonly deepgramKeySecretKmsKeyArn?: string | undefined;
}

/** Settings that are of another region or account than they can be used from, a line for each. */
export function misplacedIn(given: Arns, { region, account }: Place): string[] {
  const connect = whereIs(given.connectInstanceArn);
  const streamsKey = whereIs(given.streamsKmsKeyArn).region;
  const secretsKey = whereIs(given.deepgramKeySecretKmsKeyArn).region;
  const secret = whereIs(given.deepgramKeySecretArn).region;
  const rules: [one: string | undefined, other: string | undefined, line: string][] = [
    [
      connect.region,
      region,
      `connectInstanceArn is in ${connect.region}, and the stack would be in ${region}: set AWS_REGION=${connect.region}`,
    ],
    [
      connect.account,
      account,
      `connectInstanceArn is of the account ${connect.account}, and the stack would be in ${account}: use credentials of ${connect.account}`,
    ],
    [
      streamsKey,
      connect.region ?? region,
      `streamsKmsKeyArn is in ${streamsKey}, and Connect's streams are in ${connect.region ?? region}: name the key there`,
    ],
    [
      secretsKey,
      secret,
      `deepgramKeySecretKmsKeyArn is in ${secretsKey}, and the secret in ${secret}: name the key that encrypts it there`,
    ],
  ];
  return rules.flatMap(([one, other, line]) =>
    one === undefined || other === undefined || one === other ? [] : [line],
  );
}

function whereIs(arn: string | undefined): Place {
  const [, , , region, account] = arn?.split(':') ?? [];
  return { region, account };
}
