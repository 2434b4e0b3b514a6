locals {
  function_alarms = merge([for function in var.function[*] : {
    "lambda-errors" = {
      description = "The function failed: its model could not be loaded (no `taxi deploy lambda` yet?), or it ran out of time. Bad requests are no failure. Look at its log."
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      statistic   = "Sum"
      dimensions  = { FunctionName = function.name }
      above       = 0
      minutes     = 5
    }
    "lambda-throttled" = {
      description = "Requests were refused because as many functions ran as may. Raise reserved_concurrency, or the account's quota."
      namespace   = "AWS/Lambda"
      metric      = "Throttles"
      statistic   = "Sum"
      dimensions  = { FunctionName = function.name }
      above       = 0
      minutes     = 5
    }
    "lambda-api-errors" = {
      description = "The API answered with 5xx more than ten times in five minutes. Look at the function's log and at the API's."
      namespace   = "AWS/ApiGateway"
      metric      = "5xx"
      statistic   = "Sum"
      dimensions  = { ApiId = function.api_id }
      above       = 10
      minutes     = 5
    }
  }]...)

  function_panels = flatten([for function in var.function[*] : [
    { title = "Lambda: invocations, errors, throttles", stat = "Sum", metrics = [
      for metric in ["Invocations", "Errors", "Throttles"] : ["AWS/Lambda", metric, "FunctionName", function.name]
    ] },
    { title = "Lambda: milliseconds, 99th percentile", stat = "p99", metrics = [["AWS/Lambda", "Duration", "FunctionName", function.name]] },
  ]])
}
