/** ARN of a secret in Secrets Manager; the region is in it. The last six characters, which AWS adds, may be left out. */
const SECRET_ARN = /^arn:aws[a-z-]*:secretsmanager:(?<region>[a-z]{2}(?:-[a-z]+)+-\d):\d{12}:secret:[\w/+=.@-]{1,519}$/;

/** How a setting that is no such ARN is complained about. */
export const SECRET_ARN_RULE =
  'must be the ARN of a secret in Secrets Manager: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME';

/** The region of the secret; undefined when it is not the ARN of one. */
export function secretRegion(arn: string): string | undefined {
  return SECRET_ARN.exec(arn)?.groups?.['region'];
}
