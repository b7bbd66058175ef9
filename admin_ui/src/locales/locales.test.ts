import { describe, expect, it } from "vitest";

import en from "./en.json";
import zh from "./zh-CN.json";

describe("catalogues", () => {
  it("say the same things in both languages", () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  });
});
