/** Rule names, as the checker prints them. */
export type Rule =
  | 'not-a-flow'
  | 'wrong-version'
  | 'too-many-actions'
  | 'bad-identifier'
  | 'unknown-type'
  | 'unresolved'
  | 'dead-end'
  | 'branch-missing'
  | 'branch-unknown'
  | 'default-differs'
  | 'unreachable'
  | 'bad-parameter'
  | 'bad-attribute'
  | 'no-trigger'
  | 'not-streaming'
  | 'streaming-twice'
  | 'no-parameters'
  | 'streaming-left-on'
  | 'result-unread'
  | 'stale-result'
  | 'result-too-early'
  | 'failure-as-success'
  | 'failure-unreported'
  | 'endless'
  | 'caller-lost'
  | 'bad-layout';

/** A fault in a flow. */
export type Finding = {
  /** Identifier of the action at fault; WHOLE_FLOW if there is no particular one. */
  action: string;
  what: Rule;
  /** The consequence, and the remedy. */
  why: string;
};

export const WHOLE_FLOW = '(flow)';
