"""The public document as a checklist: each operation with each of its answers, and the test that proves it.

Operations are written as the document writes them; a test is a path below tests/ and a name. The few answers that no
client brings about from outside, or only with other settings, are proved beside the application. `test_checklist.py`
checks this list: against the product's own OpenAPI document in both directions, and that every test is there.
"""

from collections.abc import Mapping

Tests = Mapping[int, str]

_AUTH = "integration/product/contract/test_auth_contract.py::"
_AGENTS = "integration/product/contract/test_agents_contract.py::"
_PHONES = "integration/product/contract/test_phones_contract.py::"
_CALLS = "integration/product/contract/test_calls_contract.py::"
_WEBHOOKS = "integration/product/contract/test_webhooks_contract.py::"
_DASHBOARD = "integration/product/contract/test_dashboard_contract.py::"
_ERRORS = "integration/product/contract/test_errors_contract.py::"
_LIMITS = "integration/product/contract/test_limits_contract.py::"
_FUZZ = "integration/product/contract/test_webhook_fuzz.py::"
_EXPLORED = "integration/product/contract/test_schemathesis.py::"
_TIMELINE = "integration/product/contract/test_timeline_contract.py::"
_VERSIONS = "integration/product/contract/test_versions_contract.py::"
_VERSIONED = "services/test_agent_versions.py::"
_DNC = "integration/product/contract/test_dnc_contract.py::"
_CAMPAIGNS = "integration/product/contract/test_campaigns_contract.py::"
_WATCHED = "integration/test_edge_campaigns.py::"
_SHOWN = "resources/test_timeline.py::TestOverHttp::"
_INTERIM = "integration/test_edge_interim.py::"
_FIRST = "integration/product/test_first_call.py::"
_FAULTS = "integration/product/test_call_faults.py::"
_FULL = (
    "integration/product/test_capacity.py::"
    "test_with_every_line_busy_clients_get_503_and_callers_the_busy_tone_until_one_is_free"
)

_NO_TOKEN = _ERRORS + "test_every_secured_operation_needs_a_token"
_NO_RIGHT = "integration/product/contract/test_roles_walk.py::test_each_role_may_do_what_it_should_and_no_more"
_ANOTHERS = "integration/product/contract/test_tenants_walk.py::test_no_route_opens_another_tenants_things"
_TOO_MANY_LOGINS = _LIMITS + "test_logins_are_limited_to_5_in_15_minutes_by_address"
_TOO_MANY_REQUESTS = _LIMITS + "test_a_key_with_a_limit_of_its_own_is_counted_apart"
_NOTHING_COUNTS = _ERRORS + "test_while_nothing_can_be_counted_logins_are_unavailable_and_the_rest_works"
_MEMBER: Tests = {401: _NO_TOKEN, 403: _NO_RIGHT, 429: _TOO_MANY_REQUESTS}
_UNSIGNED = _WEBHOOKS + "test_what_is_not_signed_is_refused"
_INCOMPLETE = _WEBHOOKS + "test_a_webhook_without_its_fields_is_a_bad_request"
_OF_ANOTHER_CALL = _WEBHOOKS + "test_a_token_is_good_for_its_own_call_only"
_OF_NO_CALL = _WEBHOOKS + "test_news_of_an_unknown_call_are_not_found"

OPERATIONS: Mapping[str, Tests] = {
    "POST /auth/signup": {
        201: _AUTH + "test_signup_answers_with_the_user_and_tokens",
        400: _AUTH + "test_signup_names_refused_fields_as_documented",
        409: _AUTH + "test_signup_refuses_a_registered_address",
        429: _TOO_MANY_LOGINS,
        503: _NOTHING_COUNTS,
    },
    "POST /auth/login": {
        200: _AUTH + "test_login_answers_with_the_user_and_tokens",
        400: _AUTH + "test_login_names_missing_fields",
        401: _AUTH + "test_login_does_not_say_which_half_was_wrong",
        429: _TOO_MANY_LOGINS,
        503: _NOTHING_COUNTS,
    },
    "POST /auth/refresh": {
        200: _AUTH + "test_refresh_answers_with_an_access_token_that_works",
        400: _AUTH + "test_refresh_without_a_token_is_a_bad_request",
        401: _AUTH + "test_refresh_refuses_what_is_no_refresh_token",
        429: _TOO_MANY_LOGINS,
        503: _NOTHING_COUNTS,
    },
    "GET /auth/me": {
        200: _AUTH + "test_me_shows_the_user_and_masks_the_carrier_account",
        401: _AUTH + "test_me_needs_a_token",
        429: _TOO_MANY_REQUESTS,
    },
    "GET /agents": {
        **_MEMBER,
        200: _AGENTS + "test_agents_are_listed_searched_and_paged",
        400: _AGENTS + "test_a_list_refuses_pages_that_cannot_be",
    },
    "POST /agents": {
        **_MEMBER,
        201: _AGENTS + "test_an_agent_is_created_as_in_the_document",
        400: _AGENTS + "test_each_documented_rule_of_an_agent_is_kept",
    },
    "GET /agents/:id": {
        **_MEMBER,
        200: _AGENTS + "test_an_agent_is_shown_with_its_stats",
        404: _AGENTS + "test_an_agent_that_is_not_there_is_not_found",
    },
    "PUT /agents/:id": {
        **_MEMBER,
        200: _AGENTS + "test_an_update_changes_only_what_it_names",
        400: _AGENTS + "test_an_update_is_validated",
        404: _AGENTS + "test_an_agent_that_is_not_there_is_not_found",
        409: "stores/test_agents_store.py::test_who_is_overtaken_every_time_is_told_so",
    },
    "DELETE /agents/:id": {
        **_MEMBER,
        200: _AGENTS + "test_a_deleted_agent_is_gone",
        404: _AGENTS + "test_an_agent_that_is_not_there_is_not_found",
        409: _AGENTS + "test_an_agent_with_live_calls_is_not_deleted",
    },
    "POST /agents/:id/duplicate": {
        **_MEMBER,
        201: _AGENTS + "test_a_copy_has_its_own_name_and_the_same_config",
        400: _AGENTS + "test_a_copy_has_its_own_name_and_the_same_config",
        404: _AGENTS + "test_an_agent_that_is_not_there_is_not_found",
    },
    "GET /phones": {
        **_MEMBER,
        200: _PHONES + "test_phones_are_listed_by_status_and_paged",
        400: _PHONES + "test_phones_are_listed_by_status_and_paged",
    },
    "POST /phones/import": {
        **_MEMBER,
        201: _PHONES + "test_a_number_is_imported",
        400: _PHONES + "test_an_import_with_wrong_credentials_is_refused",
        409: _PHONES + "test_a_number_belongs_to_one_account_only",
    },
    "PUT /phones/:id/agent": {
        **_MEMBER,
        200: _PHONES + "test_an_agent_is_assigned",
        400: _PHONES + "test_an_agent_is_assigned",
        404: _PHONES + "test_neither_a_strange_phone_nor_a_strange_agent_is_assigned",
    },
    "PUT /phones/:id/tags": {
        **_MEMBER,
        200: _PHONES + "test_tags_are_replaced",
        400: _PHONES + "test_tags_are_replaced",
        404: _PHONES + "test_tags_are_replaced",
    },
    "DELETE /phones/:id": {
        **_MEMBER,
        200: _PHONES + "test_a_deleted_phone_is_gone_and_its_number_free",
        404: _PHONES + "test_a_deleted_phone_is_gone_and_its_number_free",
    },
    "POST /calls/outbound": {
        **_MEMBER,
        201: _CALLS + "test_a_call_is_placed_as_documented",
        400: _CALLS + "test_an_order_is_validated",
        402: _ERRORS + "test_nobody_without_credit_is_called_for",
        404: _CALLS + "test_only_own_phones_and_agents_are_called_with",
        409: "resources/test_idempotency_over_http.py::test_twenty_at_once_make_one_call",
        422: _ERRORS + "test_another_body_under_a_used_key_is_unprocessable",
        429: _LIMITS + "test_ten_calls_a_minute_are_begun_and_no_more",
        502: _CALLS + "test_a_carrier_that_refuses_is_a_bad_gateway",
        503: _FULL,
    },
    "GET /calls": {
        **_MEMBER,
        200: _CALLS + "test_the_log_is_filtered_and_paged",
        400: _CALLS + "test_a_wrong_filter_is_named",
    },
    "GET /calls/:id": {
        **_MEMBER,
        200: _CALLS + "test_a_conversation_is_kept_word_by_word",
        404: _CALLS + "test_a_call_that_is_not_there_is_not_found",
    },
    "POST /calls/:sessionId/end": {
        **_MEMBER,
        200: _CALLS + "test_a_call_is_ended_once",
        400: _CALLS + "test_a_call_is_ended_once",
        404: _CALLS + "test_a_call_that_is_not_there_is_not_found",
        409: _CALLS + "test_a_call_is_ended_once",
    },
    "POST /webhooks/exotel/incoming": {
        200: _WEBHOOKS + "test_an_incoming_call_is_answered_in_xml",
        400: _INCOMPLETE,
        401: _UNSIGNED,
        402: _ERRORS + "test_nobody_without_credit_is_called_at",
        403: "resources/test_webhook_gates.py::TestGates::test_both_must_be_right",
        404: _WEBHOOKS + "test_a_call_to_a_number_without_an_agent_is_refused",
        409: _WEBHOOKS + "test_a_call_to_a_number_without_an_agent_is_refused",
        503: "resources/test_webhooks.py::test_the_applet_is_unavailable_while_all_lines_are_busy",
    },
    "POST /webhooks/exotel/status": {
        200: _WEBHOOKS + "test_a_status_moves_the_call_and_is_acknowledged",
        400: _INCOMPLETE,
        401: _UNSIGNED,
        403: _OF_ANOTHER_CALL,
        404: _OF_NO_CALL,
    },
    "POST /webhooks/exotel/recording": {
        200: _WEBHOOKS + "test_a_recording_is_kept_and_acknowledged",
        400: _INCOMPLETE,
        401: _UNSIGNED,
        403: _OF_ANOTHER_CALL,
        404: _OF_NO_CALL,
    },
    "GET /dashboard/stats": {
        **_MEMBER,
        200: _DASHBOARD + "test_stats_count_what_the_calls_were",
        400: _DASHBOARD + "test_a_wrong_date_is_named",
    },
}
"""By operation and status."""

GENERAL: Mapping[str, str] = {
    "the error envelope, its code for each status, details.fields": (
        _AUTH + "test_signup_names_refused_fields_as_documented"
    ),
    "unknown routes and methods": _ERRORS + "test_unknown_routes_and_methods_are_answered_in_the_envelope",
    "bodies that are no JSON object": _ERRORS + "test_a_body_that_is_no_object_is_a_bad_request",
    "bodies that are too large": _ERRORS + "test_a_body_without_end_is_not_read",
    "500 says nothing of what went wrong inside": (
        "resources/test_rest_errors.py::test_our_own_bugs_say_nothing_of_our_insides"
    ),
    "502 when the carrier cannot be reached": _CALLS + "test_a_carrier_that_is_not_there_is_a_bad_gateway",
    "503 with Retry-After": _NOTHING_COUNTS,
    "404 for whatever is another tenant's": _ANOTHERS,
    "the pagination object": _AGENTS + "test_agents_are_listed_searched_and_paged",
    "limits of the pagination": _AGENTS + "test_a_list_refuses_pages_that_cannot_be",
    "the documented numbers": _LIMITS + "test_the_documented_numbers_are_the_defaults",
    "rate-limit headers": _LIMITS + "test_answers_say_how_many_requests_are_left",
    "5 logins in 15 minutes per address, and the 429 body": _TOO_MANY_LOGINS,
    "requests per user or key": _TOO_MANY_REQUESTS,
    "10 calls a minute per user": _LIMITS + "test_ten_calls_a_minute_are_begun_and_no_more",
    "webhooks are not limited": _LIMITS + "test_webhooks_are_not_counted",
    "the cURL example": _AGENTS + "test_the_curl_example_of_the_document_works",
    "every vendor and model of the document": _AGENTS + "test_each_documented_vendor_and_model_is_taken",
    "the incoming webhook's JSON for Exotel's applet": (
        _WEBHOOKS + "test_an_incoming_call_is_answered_in_json_for_the_applet"
    ),
    "the incoming webhook's XML while all lines are busy": _FULL,
    "webhooks as JSON and as forms": _WEBHOOKS + "test_incoming_calls_come_as_json_and_as_forms",
    "each final status": _WEBHOOKS + "test_each_end_has_its_status",
    "late and repeated webhooks": _WEBHOOKS + "test_late_and_repeated_words_change_nothing",
    "nonsense in webhooks": _FUZZ + "test_nonsense_is_answered_and_changes_nothing",
    "no answer beside the OpenAPI document": _EXPLORED + "test_schemathesis_finds_no_answer_beside_the_document",
    "call:join, call:started, call:connected, call:transcript, call:ended": (
        _FIRST + "test_a_call_is_heard_answered_shown_charged_recorded_and_logged"
    ),
    "isFinal and revision of call:transcript": (
        _TIMELINE + "test_a_dashboard_that_asks_sees_words_before_they_are_final"
    ),
    "partial texts for those only who ask with interim": (
        _INTERIM + "test_only_who_asks_sees_what_is_said_while_it_is_said"
    ),
    "call:metrics": _TIMELINE + "test_the_timeline_says_where_the_time_of_each_answer_went",
    "call:metrics is not told again": _INTERIM + "test_an_answers_metrics_are_told_live_and_not_again",
    "GET /calls/:id/timeline": _TIMELINE + "test_the_timeline_says_where_the_time_of_each_answer_went",
    "the timeline of a call that was not answered": _TIMELINE + "test_a_call_that_still_rings_has_an_empty_timeline",
    "404 for a timeline that is not there": _TIMELINE + "test_the_timeline_of_a_call_that_is_not_there_is_not_found",
    "prompts, session settings and SMS templates, and all their versions": _VERSIONS + "test_the_life_of_a_thing",
    "agents, and all their versions": _VERSIONS + "test_the_versions_of_an_agent",
    "two session settings in every organization": _VERSIONS + "test_two_default_settings_are_always_there",
    "the prompts, settings and templates of an agent": (
        _VERSIONED + "test_an_agent_points_at_what_its_organization_has"
    ),
    "a prompt that the language model writes": _VERSIONS + "test_a_prompt_is_written_by_the_model_and_not_stored",
    "numbers that are not to be called": _DNC + "test_a_number_is_put_on_the_list_found_and_taken_off",
    "campaigns from the draft to the end, and campaign:progress": (
        _CAMPAIGNS + "test_a_campaign_is_drafted_filled_started_watched_and_stopped"
    ),
    "campaign:error, and nobody else's campaigns": (
        _WATCHED + "test_nobody_watches_another_tenants_campaign_or_one_without_a_token"
    ),
    "many numbers that are not to be called": _DNC + "test_many_numbers_are_put_on_the_list",
    "answeredBy once it is known": _SHOWN + "test_who_picked_up_is_shown_once_it_is_known",
    "call:error": _FIRST + "test_a_dashboard_sees_nothing_of_somebody_elses_call",
    "call:leave": "integration/test_edge_realtime.py::test_after_leaving_nothing_more_is_told",
    "call:hangup": "integration/test_edge_realtime.py::test_hanging_up_takes_a_join_first",
    "a voice that fails in a call": _FAULTS + "test_when_the_voice_fails_the_local_voice_speaks",
}
"""What holds for many operations, and what is no operation."""
