import type { Shapes } from "../../api/client";

export type Calendar = Shapes["CalendarView"];
export type SpecialDay = Shapes["DayShape"];
export type Changes = Shapes["ChangesShape"];

/** `2026-03-09` of a year, a month from 1, and a day. */
export function isoDay(year: number, month: number, day: number): string {
  return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** The weeks of a month, from Monday; empty places are null. */
export function weeksOf(year: number, month: number): (number | null)[][] {
  const first = (new Date(Date.UTC(year, month - 1, 1)).getUTCDay() + 6) % 7;
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const places = [...Array<null>(first).fill(null), ...Array.from({ length }, (_, at) => at + 1)];
  while (places.length % 7) places.push(null);
  return Array.from({ length: places.length / 7 }, (_, week) => places.slice(week * 7, week * 7 + 7));
}

/** The years worth showing: what is said of them, this year and the next. */
export function yearsOf(calendar: Calendar, today: Date): number[] {
  const known = [...calendar.announced, ...Object.keys(calendar.years).map(Number)];
  const now = today.getFullYear();
  return [...new Set([...known, now, now + 1])].sort((a, b) => a - b);
}

/** The working days of a year, as the calendar knows it. */
export function workingDays(calendar: Calendar, year: number): number {
  const special = new Map(calendar.days.map((day) => [day.day, day]));
  let count = 0;
  for (let month = 1; month <= 12; month += 1) {
    for (const week of weeksOf(year, month)) {
      week.forEach((day, weekday) => {
        if (day === null) return;
        const said = special.get(isoDay(year, month, day));
        if (said ? !said.holiday : weekday < 5) count += 1;
      });
    }
  }
  return count;
}
