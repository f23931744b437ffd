/** Why a contact is not transcribed; returned to the contact flow instead of being thrown. `code` is for machines; the
 *  message says what to do, and never contains an attribute's value or a secret. */
export class TriggerFailure extends Error {
  override readonly name: string = 'TriggerFailure';
  readonly code: string;
  /** True if the same invocation may succeed later. */
  readonly retryable: boolean;

  constructor(code: string, message: string, { retryable = false, ...options }: FailureOptions = {}) {
    super(message, options);
    this.code = code;
    this.retryable = retryable;
  }
}

/** A refusal by integratord, with its message. That may quote Deepgram quoting a parameter, so it goes to the flow that
 *  set the parameter, and not into our log. */
export class IntegratorRefusal extends TriggerFailure {
  override readonly name = 'IntegratorRefusal';
}

type FailureOptions = ErrorOptions & { retryable?: boolean };
