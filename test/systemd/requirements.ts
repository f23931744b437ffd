import { installCommands, isInstalled, type ToolName } from '../support/tools.ts';

const TOOLS: readonly ToolName[] = ['debootstrap', 'systemd-nspawn', 'systemd-sysusers', 'nsenter', 'setpriv'];

/** What this machine lacks, one line each with a remedy; `what` needs root. Empty if nothing is missing. */
export function missingRequirements(what: string, tools = TOOLS): string[] {
  const lines: string[] = [];
  if (process.getuid?.() !== 0) lines.push(`Only root may ${what}: run it as root.`);
  const missing = tools.filter((tool) => !isInstalled(tool));
  if (missing.length > 0) lines.push(`Programs are missing: ${installCommands(missing).join('; ')}`);
  return lines;
}
