// Arrow keys walk through the week's table; Tab and Enter do all that is needed without them.
(function () {
  "use strict";
  var table = document.querySelector("table.week");
  if (!table) return;
  function links(row, column) {
    var cells = table.rows[row] && table.rows[row].cells;
    return cells && cells[column] ? [].slice.call(cells[column].querySelectorAll("a.airing")) : [];
  }
  // The nearest airing in that direction; empty cells are passed over.
  function next(row, column, down, right) {
    for (;;) {
      row += down; column += right;
      if (row < 1 || row >= table.rows.length || column < 1 || column >= table.rows[row].cells.length) return null;
      var found = links(row, column);
      if (found.length) return down < 0 ? found[found.length - 1] : found[0];
    }
  }
  table.addEventListener("keydown", function (event) {
    var link = event.target.closest("a.airing");
    if (!link || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    var cell = link.closest("td"), row = cell.parentNode.rowIndex, column = cell.cellIndex;
    var here = links(row, column), at = here.indexOf(link), target = null;
    if (event.key === "ArrowDown") target = here[at + 1] || next(row, column, 1, 0);
    else if (event.key === "ArrowUp") target = here[at - 1] || next(row, column, -1, 0);
    else if (event.key === "ArrowRight") target = next(row, column, 0, 1);
    else if (event.key === "ArrowLeft") target = next(row, column, 0, -1);
    else if (event.key === "Home") target = next(row, 0, 0, 1);
    else if (event.key === "End") target = next(row, table.rows[row].cells.length, 0, -1);
    else return;
    event.preventDefault();
    if (target) target.focus();
  });
})();
