// Shows the OpenAPI document with Swagger UI; nothing is asked of another machine.
(function () {
  "use strict";
  var place = document.getElementById("api");
  if (!place || !window.SwaggerUIBundle) return;
  window.SwaggerUIBundle({
    url: place.dataset.url,
    domNode: place,
    presets: [window.SwaggerUIBundle.presets.apis],
    validatorUrl: null,
    defaultModelsExpandDepth: -1,
    docExpansion: "list"
  });
})();
