/**
 * Calendar texts of data sets to microseconds and back, in UTC, without the machine's clock or time zone.
 *
 * I1: `parseInstantUs(formatInstant(t))` is `t` for whole microseconds from year 1 to 9999.
 */

const US_PER_SECOND = 1_000_000;
const US_PER_DAY = 86_400 * US_PER_SECOND;
const CALENDAR =
  /^(\d{4})[/-](\d{1,2})[/-](\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(?:Z|[+]00:?00)?)?$/;
const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Microseconds since 1970 of `YYYY/MM/DD HH:mm` (seconds and `-`, `T`, `Z` are welcome), or of a number of milliseconds. */
export function parseInstantUs(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.round(value * 1_000) : undefined;
  const match = typeof value === 'string' ? CALENDAR.exec(value) : null;
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const leap = month === 2 && isLeap(year) ? 1 : 0;
  if (day < 1 || day > (DAYS_OF_MONTH[month - 1] ?? 0) + leap || hour > 23 || minute > 59 || second > 59)
    return undefined;
  const fraction = Number((match[7] ?? '').padEnd(6, '0'));
  return daysFromCivil(year, month, day) * US_PER_DAY + ((hour * 60 + minute) * 60 + second) * US_PER_SECOND + fraction;
}

/** `YYYY/MM/DD HH:mm`, with seconds only when there are some. */
export function formatInstant(atUs: number): string {
  const days = Math.floor(atUs / US_PER_DAY);
  const ofDay = atUs - days * US_PER_DAY;
  const { year, month, day } = civilFromDays(days);
  const seconds = Math.floor(ofDay / US_PER_SECOND);
  const fraction = ofDay - seconds * US_PER_SECOND;
  const minutes = Math.floor(seconds / 60);
  const date = `${digits(year, 4)}/${digits(month, 2)}/${digits(day, 2)}`;
  const time = `${digits(Math.floor(minutes / 60), 2)}:${digits(minutes % 60, 2)}`;
  if (ofDay % (60 * US_PER_SECOND) === 0) return `${date} ${time}`;
  return `${date} ${time}:${digits(seconds % 60, 2)}${fraction === 0 ? '' : `.${digits(fraction, 6)}`}`;
}

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const digits = (value: number, width: number): string => String(value).padStart(width, '0');

/** Days since 1970 of a date of the Gregorian calendar; years begin in March, so that the leap day is the last. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}
