/** The rules, by the names that the checker prints. */
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
  | 'answer-unread'
  | 'stale-answer'
  | 'failure-as-success'
  | 'failure-unsaid'
  | 'endless'
  | 'caller-lost'
  | 'untidy';

/** One thing that is wrong with a flow. */
export type Finding = {
  /** The identifier of the action to look at; WHOLE_FLOW when it is none in particular. */
  action: string;
  what: Rule;
  /** What would come of it, and what to do. */
  why: string;
};

export const WHOLE_FLOW = '(flow)';
