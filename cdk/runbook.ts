/** The description of an alarm, for its e-mail: what is wrong, and which heading of README.md has the remedy. */
export function withRunbook(alarm: string, description: string): string {
  return `${description} Runbook: cdk/README.md, "${alarm}".`;
}
