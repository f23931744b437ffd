/** What an alarm says to whoever gets its e-mail: what is wrong, and which heading of README.md says what to do. */
export function withRunbook(alarm: string, says: string): string {
  return `${says} Runbook: cdk/README.md, "${alarm}".`;
}
