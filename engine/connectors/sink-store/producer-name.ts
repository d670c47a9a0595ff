/** Under which name a writer subtask is known at the sink store; the operator is part of it, so that two sinks never meet. */
export const producerName = (uid: string, producer: number): string => `${uid}-${producer}`;
