/** ARN of a secret in Secrets Manager. The last six characters, which AWS adds, may be missing. */
const SECRET_ARN = /^arn:aws[a-z-]*:secretsmanager:(?<region>[a-z]{2}(?:-[a-z]+)+-\d):\d{12}:secret:[\w/+=.@-]{1,519}$/;

/** Error text for a setting that is not such an ARN. */
export const SECRET_ARN_RULE =
  'must be the ARN of a secret in Secrets Manager: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME';

/** The region of the secret; undefined if `arn` is not the ARN of a secret. */
export function secretRegion(arn: string): string | undefined {
  return SECRET_ARN.exec(arn)?.groups?.['region'];
}
