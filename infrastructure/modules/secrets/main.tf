# Each value is made by Secrets Manager, handed through Terraform's memory and written once. It is in
# no plan, no state and no output: `ephemeral` and `secret_string_wo` are kept out of all of them.
locals {
  purposes = merge(
    { for variable, role in var.urls : variable => "URL of the database ${role}, with its role's password" },
    var.passwords,
  )
}

# Letters and digits only: they need no escaping in a URL or a shell. 40 of them are 238 bits.
ephemeral "aws_secretsmanager_random_password" "this" {
  for_each            = local.purposes
  password_length     = 40
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV_AWS_149:the account's own key for Secrets Manager encrypts them; one of ours would cost a dollar a month and open nothing less
  #checkov:skip=CKV2_AWS_57:a new value needs `taxi provision` and new tasks: raising its number in generations starts that
  for_each                = local.purposes
  name                    = "${var.name}/${each.key}"
  description             = each.value
  recovery_window_in_days = var.recovery_days
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each                 = local.purposes
  secret_id                = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo_version = lookup(var.generations, each.key, 1)
  secret_string_wo = (
    contains(keys(var.urls), each.key)
    ? "postgresql+psycopg2://${var.urls[each.key]}:${ephemeral.aws_secretsmanager_random_password.this[each.key].random_password}@${var.server}/${var.urls[each.key]}?sslmode=require"
    : ephemeral.aws_secretsmanager_random_password.this[each.key].random_password
  )
}
