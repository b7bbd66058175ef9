// Comfort only: hides questions that do not apply, and moves to the list of errors.
(function () {
  "use strict";
  function values(root, name) {
    var found = [];
    root.querySelectorAll('[name="' + CSS.escape(name) + '"]').forEach(function (input) {
      if ((input.type === "radio" || input.type === "checkbox") && !input.checked) return;
      if (input.closest("[hidden]")) return;
      if (input.value !== "") found.push(input.value);
    });
    return found;
  }
  function same(text, value) {
    if (value === true) return text === "yes" || text === "true";
    if (value === false) return text === "no" || text === "false";
    return text === String(value);
  }
  function holds(root, condition) {
    if (condition.all) return condition.all.every(function (c) { return holds(root, c); });
    if (condition.any) return condition.any.some(function (c) { return holds(root, c); });
    if (condition.not) return !holds(root, condition.not);
    var given = values(root, condition.field);
    var is = function (value) { return given.some(function (text) { return same(text, value); }); };
    if ("eq" in condition) return is(condition.eq);
    if ("ne" in condition) return !is(condition.ne);
    if ("in" in condition) return condition.in.some(is);
    if ("empty" in condition) return (given.length === 0) === condition.empty;
    var bound = "gt" in condition ? condition.gt : condition.lt;
    var number = typeof bound === "number" ? Number(given[0]) : given[0];
    if (given.length === 0) return false;
    return "gt" in condition ? number > bound : number < bound;
  }
  function refresh(root) {
    root.querySelectorAll("[data-visible-if]").forEach(function (field) {
      field.hidden = !holds(root, JSON.parse(field.dataset.visibleIf));
    });
  }
  function enhance(root) {
    refresh(root);
    root.addEventListener("change", function () { refresh(root); });
    var summary = root.querySelector(".error-summary");
    if (summary) summary.focus();
  }
  window.banshiForms = { enhance: enhance };
  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("form[data-form]").forEach(enhance);
    var summary = document.querySelector(".error-summary");
    if (summary) summary.focus();
  });
})();
