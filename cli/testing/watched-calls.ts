/**
 * The calls of one operator's user code: what was thrown in them, and complaints that name operator and record.
 *
 * I1: nothing that happens is changed: what is thrown goes on up, values pass as they are.
 * I2: what an operator behind throws is not laid at the door of the one that emits.
 */
import { InvariantViolation } from '../../engine/foundation/assert.ts';
import type { StateKey } from '../../engine/foundation/stable-hash.ts';
import { ByteWriter } from '../../engine/foundation/byte-writer.ts';
import type { Collector } from '../../engine/job/functions.ts';
import { DamagedSegment } from '../../engine/lsm/segment-file.ts';
import { describeSerializer, IncompatibleState, type TypeSerializer } from '../../engine/state/type-serializer.ts';
import { JobComplaint, JobError, notPlain, shown } from './job-error.ts';

interface Thrown {
  readonly error: unknown;
  readonly where: string;
}

/** What was noticed in one life, of all operators. */
export class JobNotes {
  #job = '';
  #complaint: JobComplaint | undefined;
  #first: Thrown | undefined;
  #last: Thrown | undefined;
  #times = 0;

  /** A life of a job begins. */
  begin(job: string): void {
    this.#job = job;
    this.#complaint = undefined;
    this.#first = undefined;
    this.#last = undefined;
    this.#times = 0;
  }

  /** The code of the job is wrong: the first such error. */
  get complaint(): JobError | undefined {
    return this.#complaint && new JobError(this.#complaint.message, { cause: this.#complaint });
  }

  complain(sentence: string): never {
    this.#complaint ??= new JobComplaint(`${this.#job}: ${sentence}`);
    throw this.#complaint;
  }

  threw(error: unknown, where: string): void {
    this.#last = { error, where };
    this.#first ??= this.#last;
    this.#times += 1;
  }

  /** An error that comes out of a life, if user code threw it: the judges work the input off, too, and there nothing is tried again. */
  complaintOf(error: unknown): JobError | undefined {
    if (error instanceof JobComplaint) return this.complaint;
    if (this.#last === undefined || this.#last.error !== error) return undefined;
    const { where } = this.#last;
    return new JobError(
      `${this.#job}: ${where} throws ${errorText(error)}, without any fault; expected it to return. In a cluster that is a restart without end.`,
      { cause: error },
    );
  }

  /** What was thrown, and went away with a restart; undefined: nothing. */
  summary(): string | undefined {
    if (this.#first === undefined) return undefined;
    const { error, where } = this.#first;
    const times = this.#times === 1 ? '' : ` (thrown ${this.#times} times)`;
    return `Thrown while the job's own code ran, by no fault of the plan: ${where}: ${errorText(error)}${times}`;
  }
}

const errorText = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : `${shown(error)}, which is no Error`;

/** What a serializer refuses, without the number of its invariant. */
const factOf = (error: unknown): string =>
  error instanceof InvariantViolation ? error.fact.replace(/^I\d+: /, '') : errorText(error);

/** Whether operators behind are at work. */
interface Frame {
  isBehind: boolean;
}

/** Keys that are known to fit; more are checked each time. */
const KEYS_MAX = 10_000;

export class WatchedCalls {
  readonly #operator: string;
  readonly #notes: JobNotes;
  readonly #goodKeys = new Set<unknown>();
  readonly #scratch = new ByteWriter();
  /** What user code is at: a record, a timer. */
  #moment = '';
  #subject: unknown;

  constructor(operator: string, notes: JobNotes) {
    this.#operator = operator;
    this.#notes = notes;
  }

  /** Calls user code with a record. */
  ofRecord<T>(name: string, record: unknown, body: (frame: Frame) => T): T {
    this.#subject = record;
    return this.#call(`${name} for the record`, body);
  }

  /** Calls user code that works off no record. */
  ofMoment<T>(name: string, body: (frame: Frame) => T): T {
    this.#subject = NOTHING;
    return this.#call(name, body);
  }

  #call<T>(moment: string, body: (frame: Frame) => T): T {
    this.#moment = moment;
    const frame = { isBehind: false };
    try {
      return body(frame);
    } catch (thrown) {
      if (!frame.isBehind && !isTold(thrown)) this.#notes.threw(thrown, this.#where());
      throw thrown;
    }
  }

  /** A collector that checks what goes into it. */
  collector(out: Collector<unknown>, frame: Frame): Collector<unknown> {
    return {
      collect: (value) => {
        const [moment, subject] = [this.#moment, this.#subject];
        this.checkEmitted(value);
        frame.isBehind = true;
        out.collect(value);
        frame.isBehind = false;
        this.#moment = moment;
        this.#subject = subject;
      },
    };
  }

  checkEmitted(value: unknown): void {
    const problem = notPlain(value);
    if (problem === undefined) return;
    this.complain(
      `${this.#where()} emits ${shown(value)}; expected what JSON can say, since it goes over the wire and into checkpoints, but ${problem}.`,
    );
  }

  /** What a key selector answers for a record. */
  checkKey(key: StateKey, type: TypeSerializer<StateKey> | undefined): StateKey {
    if (this.#goodKeys.has(key)) return key;
    const isKey = ['string', 'number', 'boolean'].includes(typeof key);
    const expected = type === undefined ? 'string, number or boolean' : typeName(type);
    if (!isKey || (type !== undefined && this.#refusal(key, type) !== undefined))
      this.complain(
        `${this.#where()} answers ${shown(key)}; expected a key of type ${expected}${isKey ? '. keyBy takes the type of keys that are no strings as its last argument (Types.key: any key)' : ''}.`,
      );
    if (this.#goodKeys.size < KEYS_MAX) this.#goodKeys.add(key);
    return key;
  }

  /** What goes into state, at the time it does. */
  checkState(value: unknown, state: string, type: TypeSerializer<unknown>): void {
    const refusal = this.#refusal(value, type);
    if (refusal === undefined) return;
    this.complain(
      `${this.#where()} puts ${shown(value)} into state '${state}'; expected a value of type ${typeName(type)} (${refusal}).`,
    );
  }

  /** The same type; what does not fit and was not seen when it was put there, as what is changed in place, is a complaint when it is written. */
  watchedType<T>(type: TypeSerializer<T>, state: string): TypeSerializer<T> {
    const { resolveSchema } = type;
    const refuse = (value: T, error: unknown): never => {
      const problem = factOf(error);
      return this.complain(
        `operator '${this.#operator}' left ${shown(value)} in state '${state}'; expected a value of type ${typeName(type)} (${problem}).`,
      );
    };
    return {
      snapshot: type.snapshot,
      immutable: type.immutable,
      serialize: (value, out) => {
        try {
          type.serialize(value, out);
        } catch (error) {
          refuse(value, error);
        }
      },
      deserialize: (input) => type.deserialize(input),
      copy: (value) => type.copy(value),
      ...(resolveSchema === undefined ? {} : { resolveSchema: (written) => resolveSchema.call(type, written) }),
    };
  }

  complain(sentence: string): never {
    this.#notes.complain(sentence);
  }

  /** Something that is wrong with this call, said by the caller. */
  complainHere(sentence: string): never {
    this.complain(`${this.#where()} ${sentence}`);
  }

  #where(): string {
    const subject = this.#subject === NOTHING ? '' : ` ${shown(this.#subject)}`;
    return `operator '${this.#operator}': ${this.#moment}${subject}`;
  }

  #refusal(value: unknown, type: TypeSerializer<unknown>): string | undefined {
    try {
      this.#scratch.reset();
      type.serialize(value, this.#scratch);
      return undefined;
    } catch (error) {
      return factOf(error);
    }
  }
}

/** As `row(id: int)`. */
const typeName = ({ snapshot }: TypeSerializer<unknown>): string =>
  describeSerializer(snapshot).replaceAll(/@\d+/g, '');

const NOTHING = Symbol('no record');

/** A complaint, or state that cannot be read: not thrown by the user, though while user code ran. */
const isTold = (thrown: unknown): boolean =>
  thrown instanceof JobComplaint || thrown instanceof IncompatibleState || thrown instanceof DamagedSegment;
