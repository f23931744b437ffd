import { isJsonObject, textAt, valueAt } from '../../json.ts';

/** One way out of an action. */
export type Branch = {
  /** `next` is taken if no condition and no error applies. */
  kind: 'next' | 'condition' | 'error';
  /** Value of the condition, or type of the error; empty for `next`. */
  on: string;
  /** Identifier of the action that follows. */
  to: string;
};

export type Action = {
  identifier: string;
  type: string;
  parameters: Readonly<Record<string, unknown>>;
  branches: readonly Branch[];
};

/** The part of a contact flow that the checker reads. */
export type Flow = {
  version: unknown;
  startAction: string;
  /** In the order of the file; identifiers may repeat. */
  actions: readonly Action[];
  /** The first action of each identifier. */
  byIdentifier: ReadonlyMap<string, Action>;
  /** True for an inbound flow, where contacts begin; false for other kinds, a module, and an unknown kind. */
  isInbound: boolean;
  metadata: unknown;
};

/** The text is not a contact flow. */
export class NotAFlow extends Error {
  override readonly name = 'NotAFlow';
}

/** The flow is in the format of the editor before the flow language. */
export class OldFormat extends Error {
  override readonly name = 'OldFormat';

  constructor() {
    super("it is in the editor's old format (modules): import it into the flow editor, save it, and export it again");
  }
}

/** The type of an inbound flow in the editor's export, and in the API's answer (API Reference, ContactFlow). */
const INBOUND = ['contactFlow', 'CONTACT_FLOW'];

/** Parses a flow as the editor or `aws connect describe-contact-flow` exports it. Throws NotAFlow, OldFormat. */
export function readFlow(text: string): Flow {
  const outer = parsed(text);
  const json = contentOf(outer);
  if (Array.isArray(valueAt(json, 'modules'))) throw new OldFormat();
  const listed = valueAt(json, 'Actions');
  if (!Array.isArray(listed)) throw new NotAFlow('it has no list of Actions: export it from the flow editor again');
  const actions = listed.map(readAction);
  // The content has no type in the API's answer.
  const type = textAt(outer, 'ContactFlow', 'Type') ?? textAt(json, 'Metadata', 'type') ?? '';
  const isModule = actions.some(({ type }) => type === 'EndFlowModuleExecution');
  return {
    version: valueAt(json, 'Version'),
    startAction: textAt(json, 'StartAction') ?? '',
    actions,
    byIdentifier: new Map(actions.toReversed().map((action) => [action.identifier, action])),
    isInbound: INBOUND.includes(type) && !isModule,
    metadata: valueAt(json, 'Metadata'),
  };
}

function parsed(text: string): unknown {
  try {
    // Some editors write a byte order mark.
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new NotAFlow(`it is not JSON: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/** The flow in the API's answer, which has it as text. */
function contentOf(json: unknown): unknown {
  const content = textAt(json, 'ContactFlow', 'Content') ?? textAt(json, 'ContactFlowModule', 'Content');
  return content === undefined ? json : parsed(content);
}

function readAction(json: unknown, index: number): Action {
  const identifier = textAt(json, 'Identifier');
  const type = textAt(json, 'Type');
  const parameters = valueAt(json, 'Parameters') ?? {};
  const transitions = valueAt(json, 'Transitions') ?? {};
  if (identifier === undefined || type === undefined || !isJsonObject(parameters) || !isJsonObject(transitions)) {
    throw new NotAFlow(`Actions[${index}] lacks an Identifier, a Type, or objects as its Parameters and Transitions`);
  }
  return { identifier, type, parameters, branches: readBranches(transitions, identifier) };
}

function readBranches(transitions: Readonly<Record<string, unknown>>, identifier: string): Branch[] {
  const { NextAction: next, Conditions: conditions = [], Errors: errors = [] } = transitions;
  if (!Array.isArray(conditions) || !Array.isArray(errors)) {
    throw new NotAFlow(`the Conditions and Errors of "${identifier}" are not lists`);
  }
  return [
    ...(next === undefined ? [] : [{ kind: 'next' as const, on: '', to: String(next) }]),
    ...conditions.map((condition) => ({
      kind: 'condition' as const,
      on: operandOf(condition),
      to: targetOf(condition),
    })),
    ...errors.map((error) => ({ kind: 'error' as const, on: textAt(error, 'ErrorType') ?? '', to: targetOf(error) })),
  ];
}

/** The value of an Equals with one operand; otherwise the condition's JSON, which no rule mistakes for a known value. */
function operandOf(json: unknown): string {
  const condition = valueAt(json, 'Condition');
  const operands = valueAt(condition, 'Operands');
  const isPlain = textAt(condition, 'Operator') === 'Equals' && Array.isArray(operands) && operands.length === 1;
  return isPlain ? String(operands[0]) : JSON.stringify(condition);
}

function targetOf(json: unknown): string {
  return textAt(json, 'NextAction') ?? '';
}
