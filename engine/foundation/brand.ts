/** A nominal type over a structural one: ids and units cannot be mixed up by accident (STYLE 16). */
export type Brand<T, Name extends string> = T & { readonly __brand: Name };
