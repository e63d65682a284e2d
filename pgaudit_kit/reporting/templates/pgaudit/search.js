// Adds a search to long tables. The page is complete without it: all rows are there, and a browser's own search finds them.
"use strict";
for (const region of document.querySelectorAll(".pg-scroll")) {
  const folded = region.nextElementSibling && region.nextElementSibling.tagName === "DETAILS" ? region.nextElementSibling : null;
  const rows = [region, folded].flatMap((part) => (part ? [...part.querySelectorAll("tbody tr")] : []));
  if (region.closest("details") || 11 > rows.length) continue;
  const label = document.createElement("label");
  const input = document.createElement("input");
  const said = document.createElement("span");
  const line = document.createElement("p");
  input.type = "search";
  input.autocomplete = "off";
  label.textContent = "Search “" + region.getAttribute("aria-label") + "” ";
  label.append(input);
  said.setAttribute("role", "status");
  line.className = "pg-search";
  line.append(label, said);
  region.before(line);
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const wasOpen = folded && folded.open;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    rows.forEach((row, i) => {
      row.hidden = !words.every((word) => texts[i].includes(word));
      found += row.hidden ? 0 : 1;
    });
    if (folded) folded.open = words.length ? [...folded.querySelectorAll("tbody tr")].some((row) => !row.hidden) : wasOpen;
    said.textContent = words.length ? found + " of " + rows.length + " rows" : "";
  });
}
