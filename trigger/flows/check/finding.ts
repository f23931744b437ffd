/** Rule names, as the checker prints them. */
export type Rule =
  | 'not-a-flow'
  | 'wrong-version'
  | 'too-many-actions'
  | 'bad-identifier'
  | 'unresolved'
  | 'dead-end'
  | 'branch-missing'
  | 'default-differs'
  | 'unreachable'
  | 'bad-parameter'
  | 'refused-attribute'
  | 'odd-attribute'
  | 'no-trigger'
  | 'no-such-trigger'
  | 'not-streaming'
  | 'may-not-stream'
  | 'streaming-twice'
  | 'no-parameters'
  | 'streaming-left-on'
  | 'result-unread'
  | 'stale-result'
  | 'result-too-early'
  | 'failure-as-success'
  | 'failure-unreported'
  | 'endless'
  | 'caller-lost';

/** Nothing is transcribed: the trigger or the daemon refuses the start, media streaming is off, or the flow does not
 *  invoke the trigger named. */
const ERRORS: ReadonlySet<Rule> = new Set(['not-a-flow', 'no-such-trigger', 'refused-attribute', 'not-streaming']);

/** A fault in a flow. */
export type Finding = {
  /** Identifier of the action at fault; WHOLE_FLOW if there is no particular one. */
  action: string;
  what: Rule;
  /** The consequence, and the remedy. */
  why: string;
};

export const WHOLE_FLOW = '(flow)';

/** `error` if nothing would be transcribed; otherwise `warning`. */
export function severityOf({ what }: Pick<Finding, 'what'>): 'error' | 'warning' {
  return ERRORS.has(what) ? 'error' : 'warning';
}
