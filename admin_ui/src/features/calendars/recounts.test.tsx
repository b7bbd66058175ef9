import { cleanup, render, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, beforeAll, describe, expect, it } from "vitest";

import type { Shapes } from "../../api/client";
import i18n from "../../app/i18n";
import { DatesTable } from "./DatesTable";
import { percentOf } from "./RecountsCard";

const move: Shapes["MoveView"] = {
  case_id: "c",
  reference: "XXGK-2026-0000001-7",
  clock: "legal",
  element: "",
  name: "Legal date",
  previous_due: "2026-03-30T15:59:59Z",
  new_due: "2026-03-31T15:59:59Z",
  refused: null,
};

function shown(outlook: Shapes["RecountPreview"]) {
  render(<MemoryRouter><DatesTable outlook={outlook} /></MemoryRouter>);
}

describe("what an edit of a calendar moves", () => {
  beforeAll(() => i18n.changeLanguage("en"));
  afterEach(cleanup);

  it("names the case, the date, and where it goes", () => {
    shown({ cases: 1, items: [move], more: false });
    expect(screen.getByText("XXGK-2026-0000001-7").getAttribute("href")).toBe("/cases/c");
    expect(screen.getByText("Legal date")).toBeTruthy();
    expect(screen.getByText(/31/)).toBeTruthy();
  });

  it("says that nothing moves, and what cannot be counted", () => {
    shown({ cases: 3, items: [], more: false });
    expect(screen.getByText(/No date would move/)).toBeTruthy();
    cleanup();
    shown({ cases: 1, items: [{ ...move, refused: "unit_differs" }], more: false });
    expect(screen.getByText("cannot be counted again")).toBeTruthy();
  });

  it("is not finished before it is done", () => {
    expect(percentOf({ state: "running", seen: 5, total: 10 })).toBe(50);
    expect(percentOf({ state: "running", seen: 12, total: 10 })).toBe(99);
    expect(percentOf({ state: "stopped", seen: 0, total: 0 })).toBe(0);
    expect(percentOf({ state: "done", seen: 9, total: 10 })).toBe(100);
  });
});
