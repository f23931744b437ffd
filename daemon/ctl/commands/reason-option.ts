import { InvalidArgumentError, Option } from 'commander';
import { ORDER_LIMITS } from '../../contract/order-limits.ts';

/** `--reason`, for drain and cordon. */
export function reasonOption(): Option {
  return new Option('--reason <text>', "reason, for the daemon's log and for status").argParser(parseReason);
}

function parseReason(text: string): string {
  if (text.length <= ORDER_LIMITS.reasonCharacters) return text;
  throw new InvalidArgumentError(`It must have at most ${ORDER_LIMITS.reasonCharacters} characters.`);
}
